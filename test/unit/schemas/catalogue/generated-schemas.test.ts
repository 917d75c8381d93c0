import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import avro from 'avsc';
import fc from 'fast-check';
import { avroSchemaOf } from '../../../../src/schemas/catalogue/avro-schema.ts';
import { checkOf } from '../../../../src/schemas/catalogue/check.ts';
import { envelope } from '../../../../src/schemas/catalogue/envelope.ts';
import { jsonSchemaOf } from '../../../../src/schemas/catalogue/json-schema.ts';
import { payloadProblems } from '../../../../src/schemas/catalogue/payloads.ts';
import { eventTypes } from '../../../../src/schemas/catalogue/services.ts';
import { decode } from '../../../../src/schemas/decode.ts';
import { asBytes, auditEvent } from '../../../fixtures/audit-event.ts';
import { rightValues } from './samples.ts';

const types = [...eventTypes.values()].map((one) => [one.type, one] as const);
const ajv = new Ajv({ allErrors: true, strict: false });

/** Any small change: a member of the payload becomes something else. */
const changes = fc.record({
  at: fc.nat(),
  to: fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('', -1, 1.5, 'x'.repeat(300), null)),
});

describe('JSON Schema', () => {
  test.each(types)('of %s says what the check says', (type, event) => {
    const isRight = ajv.compile(jsonSchemaOf(event));
    fc.assert(
      fc.property(rightValues(event.payload), fc.array(changes, { maxLength: 2 }), (right, wrong) => {
        const data: Record<string, unknown> = { ...(right as object) };
        const names = Object.keys(
          event.payload.kind === 'fields' ? { ...event.payload.required, ...event.payload.optional } : {},
        );
        for (const { at, to } of wrong) data[names[at % names.length] ?? ''] = to;
        const whole = auditEvent({ event_type: type, event_data: data });
        const problems = payloadProblems(type, data);
        expect([isRight(whole), data]).toEqual([problems.length === 0, data]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('Avro', () => {
  test.each(types)('of %s is a schema whose full name is the type, and it carries every right event', (type, event) => {
    const made = avro.Type.forSchema(avroSchemaOf(event) as avro.Schema);
    expect(made.name).toBe(type);
    fc.assert(
      fc.property(rightValues(event.payload), (data) => {
        // avsc loses such a key of a map; records that hold one are refused when they are read.
        fc.pre(!JSON.stringify(data).includes('"__proto__"'));
        const whole = { ...auditEvent({ event_type: type }), event_data: documentsAsText(data) };
        const back = made.fromBuffer(made.toBuffer(whole)) as { event_data: unknown };
        expect(withoutNulls(back)).toEqual(withoutNulls(whole));
      }),
      { numRuns: 20 },
    );
  });
});

/** A free JSON object travels as text. */
const documentsAsText = (data: unknown): unknown =>
  JSON.parse(JSON.stringify(data), (key, inner: unknown) =>
    key === 'original_payload' ? JSON.stringify(inner) : inner,
  );

const withoutNulls = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (key, inner: unknown) => (inner === null && key !== '' ? undefined : inner));

describe('the envelope', () => {
  const check = checkOf(envelope);
  const problemsOf = (event: unknown) => {
    const problems: { at: string; problem: string }[] = [];
    check(event, problems);
    return problems;
  };
  const fields = Object.keys({ ...envelope.required, ...envelope.optional });

  test('is right for the right event', () => {
    expect(problemsOf(auditEvent())).toEqual([]);
  });

  const values = fc.oneof(
    fc.constantFrom<unknown>('', 'x', 'x'.repeat(20), 'x'.repeat(46), 'x'.repeat(51), 'x'.repeat(101), 'x'.repeat(256)),
    fc.constantFrom<unknown>(0, 1, -1, 1.5, 2555, 2556, 1e300, true, false, null, [], {}, 'success', 'maybe'),
    fc.constantFrom<unknown>('0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b', '00000000-0000-0000-0000-000000000000'),
    fc.constantFrom<unknown>('2026-03-02T08:14:05Z', '2026-03-02', '1969-12-31T23:59:59Z', '2026-03-02T08:14:05'),
  );

  test('asks of each field what decode asks, but that decode takes an optional empty text', () => {
    fc.assert(
      fc.property(fc.constantFrom(...fields), values, (name, value) => {
        const event = auditEvent({ [name]: value });
        const isOptionalEmpty = value === '' && Object.hasOwn(envelope.optional, name);
        const accepts = decode(asBytes(event)).accepted;
        if (!isOptionalEmpty) expect([name, value, accepts]).toEqual([name, value, problemsOf(event).length === 0]);
      }),
      { numRuns: 3_000 },
    );
  });
});
