import { describe, expect, test } from '@jest/globals';
import { Type, type Schema } from 'avsc';
import { avroReader } from '../../../../src/schemas/avro/avro-reader.ts';
import { readingOf } from '../../../../src/schemas/avro/reader-type.ts';
import { avroProblems } from '../../../../src/schemas/avro/compatible.ts';
import { avroSchemaOf } from '../../../../src/schemas/catalogue/avro-schema.ts';
import { eventTypeOf } from '../../../../src/schemas/catalogue/services.ts';
import { auditEvent } from '../../../fixtures/audit-event.ts';

const typeOf = (schema: unknown) => Type.forSchema(schema as Schema);
const received = avroSchemaOf(eventTypeOf('gateway.signal.received')!) as { fields: { name: string; type: unknown }[] };
const read = (type: Type, value: unknown) => avroReader(type)(type.toBuffer(value), 0);
const jsonOf = (type: Type, value: unknown): unknown => {
  const found = read(type, value);
  if (found.kind !== 'event') throw new Error(JSON.stringify(found));
  return JSON.parse(found.json.toString());
};

/** The schema of the catalogue with another payload and more fields of the envelope. */
const changed = (payload: object[], envelope: object[] = [], name = 'received') => ({
  ...received,
  name,
  fields: [
    ...received.fields.map((field) => {
      const data = field.type as { fields: { name: string }[] };
      return field.name === 'event_data'
        ? {
            ...field,
            type: {
              ...data,
              fields: [
                ...data.fields.filter((one) => !payload.some((p) => (p as { name: string }).name === one.name)),
                ...payload,
              ],
            },
          }
        : field;
    }),
    ...envelope,
  ],
});

describe('an event in Avro', () => {
  test('is its JSON: what is absent is absent, documents are documents', () => {
    const event = auditEvent();
    const data = {
      ...(event['event_data'] as object),
      original_payload: '{"a":[1,{"b":null}]}',
      signal_labels: { t: 'x' },
    };
    expect(jsonOf(typeOf(received), { ...event, event_data: data })).toEqual({
      ...event,
      event_data: { ...data, original_payload: { a: [1, { b: null }] } },
    });
  });

  test('of a later writer keeps the fields that the catalogue does not have', () => {
    const later = typeOf(changed([{ name: 'cost', type: 'double' }], [{ name: 'region', type: 'string' }]));
    const event = auditEvent({ region: 'eu' });
    const data = { ...(event['event_data'] as object), cost: 1.5 };
    expect(jsonOf(later, { ...event, event_data: data })).toEqual({ ...event, event_data: data });
  });

  test('of an earlier writer, under the old name and with narrower numbers, is read as the present one', () => {
    const earlier = {
      ...changed([{ name: 'occurrence_count', type: ['null', 'int'], default: null }]),
      namespace: 'gateway.crd',
      name: 'creation_failed',
    };
    const event = auditEvent();
    const data = { ...(event['event_data'] as object), occurrence_count: 3 };
    expect(jsonOf(typeOf(earlier), { ...event, event_data: data })).toEqual({ ...event, event_data: data });
  });

  test('of a foreign schema is read with that schema', () => {
    const schema = {
      type: 'record',
      name: 'Foreign',
      namespace: 'com.example',
      fields: [
        { name: 'event_id', type: 'string' },
        { name: 'wrapped', type: ['null', 'int', 'string', 'double', 'bytes'] },
        { name: 'event_data', type: { type: 'map', values: ['null', 'bytes', 'string'] } },
      ],
    };
    const value = { event_id: 'x', wrapped: { double: 2.5 }, event_data: { a: null, b: Buffer.of(1, 2), c: 't' } };
    expect(jsonOf(typeOf(schema), value)).toEqual({
      event_id: 'x',
      wrapped: 2.5,
      event_data: { a: null, b: 'AQI=', c: 't' },
    });
  });

  test.each([
    ['NaN', { d: NaN }, 'a number is not finite'],
    ['Infinity', { d: -Infinity }, 'a number is not finite'],
  ])('that JSON cannot say (%s) is refused', (_name, value, why) => {
    const type = typeOf({ type: 'record', name: 'N', fields: [{ name: 'd', type: 'double' }] });
    expect(read(type, value)).toEqual({ kind: 'fault', why });
  });

  test('with a number beyond 2^53 is refused', () => {
    const type = typeOf({ type: 'record', name: 'N', fields: [{ name: 'n', type: 'long' }] });
    const bytes = Buffer.of(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    expect(avroReader(type)(bytes, 0)).toEqual({ kind: 'fault', why: 'a number is beyond 2^53 - 1' });
  });

  test('with bytes that are no text is refused, with the character for them it is not', () => {
    const type = typeOf({ type: 'record', name: 'T', fields: [{ name: 't', type: 'string' }] });
    expect(avroReader(type)(Buffer.of(4, 0xc3, 0x28), 0)).toEqual({ kind: 'utf8' });
    expect(read(type, { t: 'a\ufffdb' })).toMatchObject({ kind: 'event' });
  });

  test('that is no record is refused', () => {
    expect(read(typeOf('string'), 'x')).toEqual({ kind: 'fault', why: 'it is no record' });
  });
});

describe('compatibility', () => {
  const now = JSON.stringify(received);

  test('an optional field may come and go', () => {
    const more = JSON.stringify(changed([{ name: 'cost', type: ['null', 'double'], default: null }]));
    expect(avroProblems(more, now)).toEqual([]);
    expect(avroProblems(now, more)).toEqual([]);
  });

  test('a required field may not come, nor a type change', () => {
    expect(avroProblems(JSON.stringify(changed([{ name: 'cost', type: 'double' }])), now).join()).toContain(
      'cannot read',
    );
    const turned = JSON.stringify(changed([{ name: 'fingerprint', type: 'long' }]));
    expect(avroProblems(turned, now)).toHaveLength(2);
  });
});

test('readers do not get in the way of each other', () => {
  const later = typeOf(changed([{ name: 'cost', type: ['null', 'double'], default: null }]));
  for (const type of [later, typeOf(received), later])
    expect(readingOf(type).type.name).toBe('gateway.signal.received');
  const earlier = { ...changed([]), namespace: 'gateway.crd', name: 'creation_failed' };
  for (let round = 0; round < 2; round++) expect(readingOf(typeOf(earlier)).type.name).toBe('gateway.crd.failed');
});
