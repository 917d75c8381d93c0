import { describe, expect, test } from '@jest/globals';
import { decode, maxEventBytes, maxEventDataBytes } from '../../../src/schemas/decode.ts';
import type { RejectionCode } from '../../../src/schemas/rejection.ts';
import { asBytes, auditEvent, nested, withMembers } from '../../fixtures/audit-event.ts';

const secret = 'hunter2';

const codeOf = (value: Buffer | null): string => {
  const decoded = decode(value);
  return decoded.accepted ? 'accepted' : decoded.code;
};
const codeWith = (overrides: Record<string, unknown>) => codeOf(asBytes(auditEvent(overrides)));

describe('an event', () => {
  test('with every field is accepted and its facts are read', () => {
    const value = asBytes(
      auditEvent({
        event_id: '0195A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B',
        event_timestamp: '2026-03-02T09:14:05.1201239+01:00',
        actor_type: 'service',
        actor_id: 'gateway',
        actor_ip: '2001:db8::1',
        resource_type: 'Signal',
        resource_id: '9c41e07b5d22',
        resource_name: 'cart-svc',
        parent_event_id: '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c',
        parent_event_date: '2026-03-02',
        trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
        span_id: '00f067aa0ba902b7',
        namespace: 'checkout',
        cluster_id: 'eu-1',
        severity: 'warning',
        duration_ms: 38,
        error_code: 'ERR_TIMEOUT_TASK',
        error_message: 'x'.repeat(100_000),
        retention_days: 2555,
        is_sensitive: false,
        event_metadata: [1, { any: 'thing' }],
        unknown: { kept: true },
      }),
    );
    expect(decode(value)).toEqual({
      accepted: true,
      json: value,
      facts: {
        eventId: '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
        eventType: 'gateway.signal.received',
        category: 'gateway',
        outcome: 'success',
        correlationId: 'rr-9c41e07b5d22-4be1a07f',
        timeUs: Date.UTC(2026, 2, 2, 8, 14, 5, 120) * 1000 + 123,
        severity: 'warning',
        actorType: 'service',
        actorId: 'gateway',
        resourceType: 'Signal',
        resourceId: '9c41e07b5d22',
        namespace: 'checkout',
      },
    });
  });

  test('keeps the bytes of the record, not a copy', () => {
    const value = asBytes(auditEvent());
    const decoded = decode(value);
    expect(decoded.accepted && decoded.json).toBe(value);
  });

  test('may leave out, null or leave empty what is optional', () => {
    const names = ['severity', 'actor_type', 'actor_id', 'resource_type', 'resource_id', 'namespace'];
    const facts = [null, '', undefined].map((nothing) => {
      const decoded = decode(asBytes(auditEvent(Object.fromEntries(names.map((name) => [name, nothing])))));
      return decoded.accepted && decoded.facts;
    });
    expect(facts[0]).toMatchObject({ severity: null, actorType: null, actorId: null, namespace: null });
    expect(facts[1]).toEqual(facts[0]);
    expect(facts[2]).toEqual(facts[0]);
  });

  test.each([
    ['null in optional fields of other types', { duration_ms: null, is_sensitive: null, retention_days: null }],
    ['empty parent', { parent_event_id: '', parent_event_date: '' }],
    ['a parent date with time', { parent_event_date: '2026-03-02T00:00:00Z' }],
    ['a category that nobody knows yet', { event_category: 'quantum' }],
    ['an old event', { event_timestamp: '1970-01-01T00:00:00Z' }],
    ['255 astral characters', { correlation_id: '😀'.repeat(255) }],
    ['an integer written as a fraction', { duration_ms: 5.0 }],
    ['fields named as in Object.prototype', { constructor: 1, toString: 2, hasOwnProperty: 3 }],
    ['event_data 10 deep', { event_data: { a: JSON.parse(nested(9)) as unknown } }],
    ['metadata 10 deep', { event_metadata: JSON.parse(nested(10)) as unknown }],
  ])('with %s is accepted', (_what, overrides) => {
    expect(codeWith(overrides)).toBe('accepted');
  });

  test.each([
    ['blanks around it', Buffer.from(` \n${JSON.stringify(auditEvent(), null, '\t')}\r\n`)],
    ['an own __proto__ field', withMembers('"__proto__":{"version":7}')],
    ['a key repeated below the envelope', withMembers('"extra":{"a":1,"a":2}')],
    ['a surrogate pair written as escapes', withMembers('"extra":"\\uD83D\\uDE00 \\ud83d\\ude00"')],
    ['an escaped backslash before ud800', withMembers('"extra":"\\\\ud800"')],
    ['a number beyond double range', withMembers('"extra":1e999')],
    ['colons and brackets in texts', withMembers('"a:b":"{[:\\"]}"')],
    ['event_data of the greatest size', withData(maxEventDataBytes)],
  ])('with %s is accepted', (_what, value) => {
    expect(codeOf(value)).toBe('accepted');
  });
});

/** An event whose event_data has exactly so many bytes, with blanks around it that do not count. */
function withData(bytes: number, key = '"event_data"'): Buffer {
  const data = `{"x":"${'é'.repeat((bytes - 8) / 2)}"}`;
  return withMembers(`${key} : \n ${data} \t`, { event_data: undefined });
}

const required = [
  'event_id',
  'version',
  'event_type',
  'event_timestamp',
  'event_category',
  'event_action',
  'event_outcome',
  'correlation_id',
  'event_data',
];

describe('a record at fault', () => {
  const bytes: [RejectionCode, string, Buffer | null][] = [
    ['VALUE_NULL', 'no value', null],
    ['VALUE_EMPTY', 'no bytes', Buffer.alloc(0)],
    ['RECORD_TOO_LARGE', 'a byte too many', Buffer.alloc(maxEventBytes + 1, 0x20)],
    ['ENCODING_UNKNOWN', 'a registry frame', Buffer.from([0, 0, 0, 0, 7, 2])],
    ['BOM_PRESENT', 'a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), asBytes(auditEvent())])],
    ['UTF8_INVALID', 'a stray byte', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['UTF8_INVALID', 'an encoded surrogate', Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1')],
    ['UTF8_INVALID', 'an overlong slash', Buffer.from('{"a":"\xc0\xaf"}', 'latin1')],
    ['JSON_INVALID', 'blanks', Buffer.from('  ')],
    ['JSON_INVALID', 'a cut text', Buffer.from(`{"password":"${secret}`)],
    ['JSON_INVALID', 'a word', Buffer.from(secret)],
    ['JSON_INVALID', 'two documents', Buffer.from('{}{}')],
    ['JSON_INVALID', 'a trailing comma', Buffer.from('{"a":1,}')],
    ['JSON_INVALID', 'UTF-16', Buffer.from('{"a":1}', 'utf16le')],
    ['JSON_NOT_OBJECT', 'an array', Buffer.from('[{}]')],
    ['JSON_NOT_OBJECT', 'null', Buffer.from('null')],
    ['JSON_NOT_OBJECT', 'a text', Buffer.from(`"${secret}"`)],
    ['UNICODE_INVALID', 'a high half', withMembers(`"extra":"${secret}\\ud800"`)],
    ['UNICODE_INVALID', 'a low half', withMembers('"extra":["\\uDFFF"]')],
    ['UNICODE_INVALID', 'halves the wrong way round', withMembers('"extra":"\\udc00\\ud800"')],
    ['UNICODE_INVALID', 'a high half before a pair', withMembers('"extra":"\\ud800\\ud800\\udc00"')],
    ['UNICODE_INVALID', 'a high half before an escape', withMembers('"extra":"\\ud800\\u0041"')],
    ['UNICODE_INVALID', 'a half in a key', withMembers('"\\ud800":1')],
    ['UNICODE_INVALID', 'a half that a repeated key hides', withMembers('"extra":{"a":"\\ud800","a":1}')],
    ['KEY_DUPLICATED', 'a repeated field', withMembers(`"version":"${secret}"`)],
    ['KEY_DUPLICATED', 'a repeated field in escapes', withMembers('"v\\u0065rsion":"2.0"')],
    ['KEY_DUPLICATED', 'a repeated unknown field', withMembers(`"${secret}":1,"${secret}":2`)],
    ['KEY_DUPLICATED', 'a repeated __proto__', withMembers('"__proto__":1,"__proto__":2')],
    [
      'DEPTH_EXCEEDED',
      'event_data 11 deep',
      withMembers(`"event_data":{"a":${nested(10)}}`, { event_data: undefined }),
    ],
    ['DEPTH_EXCEEDED', 'metadata 11 deep', withMembers(`"event_metadata":${nested(11)}`)],
    ['DEPTH_EXCEEDED', 'an abyss', Buffer.alloc(maxEventBytes, '[')],
    ['DEPTH_EXCEEDED', 'an abyss of objects', Buffer.alloc(maxEventBytes, '{"a":')],
    ['RECORD_TOO_LARGE', 'two megabytes of brackets', Buffer.alloc(2 * 1024 * 1024, '[')],
    ['EVENT_DATA_TOO_LARGE', 'event_data two bytes too large', withData(maxEventDataBytes + 2)],
    ['EVENT_DATA_TOO_LARGE', 'the same in escapes', withData(maxEventDataBytes + 2, '"event\\u005fdata"')],
  ];

  test.each(bytes)('%s: %s', (code, _what, value) => {
    const decoded = decode(value);
    expect(decoded).toMatchObject({ accepted: false, code });
    expect(JSON.stringify(decoded)).not.toContain(secret);
  });

  test.each(required)('without %s is FIELD_MISSING', (name) => {
    for (const nothing of [undefined, null]) {
      expect(decode(asBytes(auditEvent({ [name]: nothing })))).toMatchObject({
        code: 'FIELD_MISSING',
        message: `${name} is missing`,
      });
    }
  });

  const lengths = {
    version: 20,
    event_category: 50,
    event_action: 50,
    correlation_id: 255,
    actor_type: 50,
    actor_id: 255,
    actor_ip: 45,
    resource_type: 100,
    resource_id: 255,
    resource_name: 255,
    trace_id: 255,
    span_id: 255,
    namespace: 253,
    cluster_id: 255,
    severity: 20,
    error_code: 50,
  };

  test.each(Object.entries(lengths))('%s takes %d characters and no more', (name, max) => {
    for (const character of ['x', 'é', '😀']) {
      expect(codeWith({ [name]: character.repeat(max) })).toBe('accepted');
      expect(codeWith({ [name]: character.repeat(max + 1) })).toBe('FIELD_LENGTH');
    }
    expect(codeWith({ [name]: 7 })).toBe('FIELD_TYPE');
  });

  test.each(['version', 'event_category', 'event_action', 'correlation_id'])('an empty %s is FIELD_LENGTH', (name) => {
    expect(codeWith({ [name]: '' })).toBe('FIELD_LENGTH');
  });

  const fields: [RejectionCode, Record<string, unknown>][] = [
    ['EVENT_ID_INVALID', { event_id: '' }],
    ['EVENT_ID_INVALID', { event_id: secret }],
    ['EVENT_ID_INVALID', { event_id: '0195a1b2c3d47e5f8a9b0c1d2e3f4a5b' }],
    ['EVENT_ID_INVALID', { event_id: '{0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b}' }],
    ['EVENT_ID_INVALID', { event_id: '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g' }],
    ['EVENT_ID_INVALID', { event_id: '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\n' }],
    ['EVENT_ID_INVALID', { event_id: '00000000-0000-0000-0000-000000000000' }],
    ['EVENT_ID_INVALID', { event_id: 'FFFFFFFF-ffff-ffff-ffff-ffffffffffff' }],
    ['FIELD_TYPE', { event_id: 7 }],
    ['EVENT_TYPE_INVALID', { event_type: '' }],
    ['EVENT_TYPE_INVALID', { event_type: 'gateway/signal' }],
    ['EVENT_TYPE_INVALID', { event_type: 'gateway.signal\n' }],
    ['EVENT_TYPE_INVALID', { event_type: 'x'.repeat(101) }],
    ['OUTCOME_INVALID', { event_outcome: 'Success' }],
    ['OUTCOME_INVALID', { event_outcome: '' }],
    ['FIELD_TYPE', { event_outcome: true }],
    ['TIME_INVALID', { event_timestamp: '2026-03-02T08:14:05' }],
    ['FIELD_TYPE', { event_timestamp: 1_767_225_600 }],
    ['FIELD_TYPE', { event_data: secret }],
    ['FIELD_TYPE', { event_data: [secret] }],
    ['FIELD_TYPE', { correlation_id: {} }],
    ['FIELD_TYPE', { duration_ms: '38' }],
    ['FIELD_TYPE', { duration_ms: 1.5 }],
    ['FIELD_TYPE', { duration_ms: 2 ** 53 }],
    ['FIELD_TYPE', { retention_days: '7' }],
    ['FIELD_RANGE', { retention_days: 0 }],
    ['FIELD_RANGE', { retention_days: 2556 }],
    ['FIELD_TYPE', { is_sensitive: 'false' }],
    ['FIELD_TYPE', { error_message: 7 }],
    ['FIELD_FORMAT', { parent_event_id: secret }],
    ['FIELD_FORMAT', { parent_event_date: '2026-02-30' }],
  ];

  test.each(fields)('%s: %j', (code, overrides) => {
    const decoded = decode(asBytes(auditEvent(overrides)));
    expect(decoded).toMatchObject({ accepted: false, code });
    expect(JSON.stringify(decoded)).not.toContain(secret);
  });
});

describe('what a record at fault says of itself', () => {
  const identity = {
    eventId: '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
    correlationId: 'rr-9c41e07b5d22-4be1a07f',
    eventType: 'gateway.signal.received',
  };

  test.each([
    ['a field at fault', asBytes(auditEvent({ event_outcome: 'maybe' }))],
    ['a repeated field', withMembers('"extra":1,"extra":2')],
    ['an envelope too deep', withMembers(`"extra":${nested(12)}`)],
    ['event_data too large', withData(maxEventDataBytes + 2)],
    ['half a surrogate pair', withMembers('"extra":"\\ud800"')],
  ])('is kept for the operator: %s', (_what, value) => {
    expect(decode(value)).toMatchObject(identity);
  });

  test('leaves out what is itself at fault', () => {
    const decoded = decode(withMembers('"x":1', { event_id: 'none', event_type: 'a b', correlation_id: 7 }));
    expect(decoded).toEqual({
      accepted: false,
      code: 'EVENT_ID_INVALID',
      message: 'event_id must be a UUID, not nil or max',
    });
    const halved = decode(withMembers('"correlation_id":"\\ud800"', { correlation_id: undefined }));
    expect(halved).toMatchObject({ code: 'UNICODE_INVALID', eventId: identity.eventId });
    expect(halved).not.toHaveProperty('correlationId');
  });

  test('names the field that is repeated, if it is one of ours', () => {
    expect(decode(withMembers('"event_\\u0069d":"x"'))).toMatchObject({ message: 'event_id stands twice' });
    expect(decode(withMembers(`"${secret}":1,"${secret}":1`))).toMatchObject({
      message: 'an unknown field stands twice',
    });
  });

  test('tells where a text stops being JSON, never what stands there', () => {
    const decoded = decode(Buffer.from(`{"a":1,${secret}}`));
    expect(decoded).toMatchObject({ message: 'the value is not JSON (at character 7)' });
  });
});
