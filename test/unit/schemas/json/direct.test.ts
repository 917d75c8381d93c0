import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../../../src/producers/random.ts';
import { story } from '../../../../src/producers/story/story.ts';
import { eventTypes, renamedTypes } from '../../../../src/schemas/catalogue/services.ts';
import { decodeTheLongWay } from '../../../../src/schemas/decode.ts';
import { readDirectly } from '../../../../src/schemas/json/direct.ts';
import { payloadRule } from '../../../../src/schemas/payload-rule.ts';
import { asBytes, auditEvent, nested, withMembers } from '../../../fixtures/audit-event.ts';
import { mutated } from '../../../support/mutations.ts';
import { rightValues } from '../catalogue/samples.ts';

const judge = payloadRule('enforce');

/** What is read directly, or null; held against the long way. */
const read = (value: Buffer) => {
  const facts = readDirectly(value);
  if (facts !== null) expect(decodeTheLongWay(value, judge)).toEqual({ accepted: true, facts, json: value });
  return facts;
};

const events = Array.from({ length: 20 }, (_, seed) => story(seededRandom(seed), Date.UTC(2026, 2, 2, 8))).flat();

describe('an event is read directly', () => {
  test('of every service, whatever the order of its members', () => {
    const shuffled = seededRandom(7);
    for (const event of events) {
      const members = Object.entries(event);
      expect(read(asBytes(event))).not.toBeNull();
      const order = members.map((member) => [shuffled.next(), member] as const).sort(([a], [b]) => a - b);
      expect(read(asBytes(Object.fromEntries(order.map(([, member]) => member))))).not.toBeNull();
    }
  });

  test('of every type with any right payload, under old names too', () => {
    for (const [type, { payload }] of eventTypes) {
      const names = [type, ...[...renamedTypes].flatMap(([old, present]) => (present === type ? [old] : []))];
      fc.assert(
        fc.property(fc.constantFrom(...names), rightValues(payload), (name, data) => {
          // A lone surrogate is not right, and is for the long way.
          expect(read(asBytes(auditEvent({ event_type: name, event_data: data })))).not.toBeNull();
        }),
        { numRuns: 20 },
      );
    }
  });

  test.each([
    ['with blanks', Buffer.from(` \r\n\t${JSON.stringify(auditEvent(), null, 2)}\n`)],
    ['with fields that have no rule', withMembers('"event_metadata":{"a":[1,-0.5e+3,true,false,null]},"more":"x"')],
    ['with null for what is optional', withMembers('"severity":null,"actor_id":null,"duration_ms":null')],
    ['with empty text for what is optional', withMembers('"severity":"","parent_event_id":"","resource_id":""')],
    ['with escapes', withMembers('"error_message":"line\\n\\"two\\" \\\\ \\u0041\\/","actor_id":"a\\tb"')],
    ['with other than ASCII', asBytes(auditEvent({ correlation_id: 'Zürich 駅 🚉', namespace: 'ü' }))],
    ['of an unknown type', asBytes(auditEvent({ event_type: 'billing.invoice.sent', event_data: { any: [[[]]] } }))],
    ['with an id in capitals', asBytes(auditEvent({ event_id: '0195A1B2-C3D4-7E5F-8A9B-0C1D2E3F4A5B' }))],
    ['whose payload repeats its type', withData({ event_type: 'gateway.signal.received' })],
    ['as deep as an event may be', withData({ original_payload: JSON.parse(`{"a":${nested(8)}}`) as unknown })],
  ])('%s', (_, value) => {
    expect(read(value)).not.toBeNull();
  });
});

function withData(more: object): Buffer {
  const { event_data: data } = auditEvent() as { event_data: object };
  return asBytes(auditEvent({ event_data: { ...data, ...more } }));
}

describe('is left to the long way', () => {
  const text = JSON.stringify(auditEvent());
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte order mark', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), asBytes(auditEvent())])],
    ['what is no object', Buffer.from('[]')],
    ['more than one value', Buffer.from(`${text}{}`)],
    ['a comma too many', Buffer.from(text.replace(/}$/, ',}'))],
    ['a field that stands twice', withMembers('"version":"1.0"')],
    ['an unknown field that stands twice', withMembers('"more":1,"more":1')],
    ['a name with an escape', withMembers('"\\u0078":1')],
    ['many unknown fields', withMembers('abcdefghi'.replace(/./g, ',"$&":1').slice(1))],
    ['a missing field', asBytes(auditEvent({ event_action: undefined }))],
    ['a field of another type', asBytes(auditEvent({ version: 1 }))],
    ['a list in the place of the payload', asBytes(auditEvent({ event_data: [] }))],
    ['a text that is too long', asBytes(auditEvent({ version: 'v'.repeat(21) }))],
    ['a payload of which the catalogue has something to say', withData({ occurrence_count: -1 })],
    ['a payload that names another type', withData({ event_type: 'gateway.crd.created' })],
    ['a payload with a field that stands twice', Buffer.from(text.replace('"namespace":', '"namespace":1,$&'))],
    ['what nests too deep', withData({ original_payload: JSON.parse(`{"a":${nested(9)}}`) as unknown })],
    ['half of a surrogate pair', withMembers('"actor_id":"\\ud83d"')],
    ['a pair of surrogates', withMembers('"actor_id":"\\ud83d\\ude89"')],
    ['what is no UTF-8', Buffer.concat([withMembers('"actor_id":"').subarray(0, -1), Buffer.from([0xff, 0x22, 0x7d])])],
    ['a control character in a text', withMembers('"actor_id":"a\nb"')],
    ['a number that JSON does not know', withMembers('"duration_ms":01')],
    ['a large value', withData({ original_payload: { a: 'x'.repeat(70_000) } })],
  ])('%s', (_, value) => {
    expect(readDirectly(value)).toBeNull();
  });
});

test('whatever happens to the bytes, the long way reads the same', () => {
  const random = seededRandom(11);
  const corpus: [Buffer, ...Buffer[]] = [asBytes(auditEvent()), ...events.slice(0, 30).map(asBytes)];
  let direct = 0;
  for (let left = 20_000; left > 0; left--) if (read(mutated(random, corpus)) !== null) direct++;
  expect(direct).toBeGreaterThan(100);
});
