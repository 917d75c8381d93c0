import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PipelineError } from '../../../src/errors.ts';
import { type GeneratedEvent, generateEvents } from '../../../src/producers/generate.ts';
import { poisons } from '../../../src/producers/poison.ts';
import { decodeWith } from '../../../src/schemas/decode.ts';
import { payloadRule } from '../../../src/schemas/payload-rule.ts';
import type { RejectionCode } from '../../../src/schemas/rejection.ts';
import { rejectionTable } from '../../../src/schemas/rejection.ts';

const decode = decodeWith(payloadRule('enforce'));
const startMs = Date.UTC(2026, 2, 2, 8);
const generated = [...generateEvents({ count: 3_000, seed: 1, startMs, poison: 88, duplicates: 150 })];
const tell = ({ kind }: GeneratedEvent) => kind;
const count = (events: readonly GeneratedEvent[], kind: string) =>
  events.filter((event) => tell(event) === kind).length;
const idOf = ({ value }: GeneratedEvent) =>
  (JSON.parse((value ?? Buffer.from('{}')).toString()) as { event_id: string }).event_id;

describe('generated records', () => {
  test('come in exactly the numbers asked for', () => {
    const counts = fc.record({
      valid: fc.nat({ max: 40 }),
      poison: fc.nat({ max: 40 }),
      duplicates: fc.nat({ max: 40 }),
    });
    fc.assert(
      fc.property(counts, fc.integer(), ({ valid, poison, duplicates }, seed) => {
        fc.pre(valid > 0 || duplicates === 0);
        const all = [
          ...generateEvents({
            count: valid + poison + duplicates,
            seed,
            startMs,
            poison,
            duplicates,
            concurrentStories: 2,
          }),
        ];
        expect(count(all, 'valid')).toBe(valid);
        expect(count(all, 'poison')).toBe(poison);
        expect(count(all, 'duplicate')).toBe(duplicates);
      }),
      { numRuns: 30 },
    );
  });

  test('are the same for the same seed', () => {
    const again = [...generateEvents({ count: 3_000, seed: 1, startMs, poison: 88, duplicates: 150 })];
    // Element by element in jest takes seconds; as text it takes none.
    const text = (events: readonly GeneratedEvent[]) =>
      events.map((event) => JSON.stringify({ ...event, value: String(event.value) }));
    expect(text(again).join('\n') === text(generated).join('\n')).toBe(true);
  });

  test('are decoded as they say', () => {
    for (const { kind, value, expectedCode } of generated) {
      const decoded = decode(value);
      if (kind !== 'poison' || expectedCode === 'EVENT_ID_CONFLICT') expect(decoded).toMatchObject({ accepted: true });
      else expect(decoded).toMatchObject({ accepted: false, code: expectedCode });
    }
  });

  test('hold every kind of poison equally often', () => {
    const codes = new Map<RejectionCode, number>();
    for (const { expectedCode } of generated) {
      if (expectedCode !== undefined) codes.set(expectedCode, (codes.get(expectedCode) ?? 0) + 1);
    }
    expect(codes.size).toBe(poisons.length + 1);
    expect(new Set(codes.values())).toEqual(new Set([4]));
  });

  test('repeat one of the last 500 events, to the byte and under its key', () => {
    const valid: GeneratedEvent[] = [];
    for (const event of generated) {
      if (event.kind === 'valid') valid.push(event);
      if (event.kind !== 'duplicate') continue;
      const original = valid.slice(-500).find(({ value }) => value !== null && event.value?.equals(value));
      expect(original).toMatchObject({ key: event.key, headers: event.headers });
    }
  });

  test('conflict with an event sent before, under its key', () => {
    const keys = new Map<string, string>();
    for (const event of generated) {
      if (event.kind === 'valid') keys.set(idOf(event), event.key);
      if (event.expectedCode === 'EVENT_ID_CONFLICT') expect(keys.get(idOf(event))).toBe(event.key);
    }
  });

  test('have an id each, but for duplicates and conflicts', () => {
    const valid = generated.filter(({ kind }) => kind === 'valid').map(idOf);
    expect(new Set(valid).size).toBe(valid.length);
    const readable = generated.filter(
      ({ kind, expectedCode }) => kind === 'poison' && expectedCode !== 'EVENT_ID_CONFLICT',
    );
    for (const { value } of readable) {
      const decoded = decode(value);
      if (!decoded.accepted && decoded.eventId !== undefined) expect(valid).not.toContain(decoded.eventId);
    }
  });

  test('interleave stories in the order of time', () => {
    const valid = generated.filter(({ kind }) => kind === 'valid');
    const times = valid.map(({ value }) => (JSON.parse(String(value)) as { event_timestamp: string }).event_timestamp);
    expect(times).toEqual(times.toSorted());
    expect(new Set(valid.slice(0, 100).map(({ key }) => key)).size).toBeGreaterThan(3);
  });

  test.each([
    ['more special ones than records', { count: 5, poison: 3, duplicates: 3 }],
    ['duplicates of nothing', { count: 5, poison: 3, duplicates: 2 }],
    ['half a record', { count: 1.5 }],
    ['no story', { count: 1, concurrentStories: 0 }],
  ])('are refused with %s', (_what, options) => {
    const make = () => [...generateEvents({ seed: 1, startMs, ...options })];
    expect(make).toThrow(PipelineError);
    expect(make).toThrow(/^generating events: /);
  });
});

test('there is a poison for every reason that lies in a record of ordinary size', () => {
  const framed = ['SCHEMA_FRAME_INVALID', 'SCHEMA_UNKNOWN', 'SCHEMA_UNUSABLE', 'AVRO_INVALID'];
  const elsewhere = ['RECORD_TOO_LARGE', 'EVENT_ID_CONFLICT', 'LEDGER_REFUSED', ...framed];
  expect([...poisons.map(({ code }) => code), ...elsewhere].toSorted()).toEqual(Object.keys(rejectionTable).toSorted());
});
