import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decode } from '../../../src/schemas/decode.ts';
import { rejectionTable } from '../../../src/schemas/rejection.ts';
import { asBytes, auditEvent } from '../../fixtures/audit-event.ts';

const text = (min: number, max: number) => fc.string({ unit: 'binary', minLength: min, maxLength: max });
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
const uuid = fc.uuid().filter((id) => !/^(?:0|-)+$|^(?:f|-)+$/.test(id));

const events = fc.record({
  version: text(1, 20),
  event_id: uuid,
  event_type: fc.stringMatching(/^[A-Za-z0-9._-]{1,100}$/),
  event_timestamp: fc
    .date({ min: new Date(0), max: new Date('2199-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  event_category: text(1, 50),
  event_action: text(1, 50),
  event_outcome: fc.constantFrom('success', 'failure', 'pending'),
  correlation_id: text(1, 255),
  event_data: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 8 }), { maxKeys: 10 }),
  actor_type: maybe(text(0, 50)),
  actor_id: maybe(text(0, 255)),
  severity: maybe(text(0, 20)),
  namespace: maybe(text(0, 253)),
  duration_ms: maybe(fc.integer()),
});

const wellFormed = (value: unknown): boolean => !/\\ud[89a-f]/i.test(JSON.stringify(value));

describe('decode', () => {
  test('accepts every right event and reads what was written', () => {
    fc.assert(
      fc.property(events.filter(wellFormed), (event) => {
        const decoded = decode(asBytes(event));
        if (!decoded.accepted) throw new Error(decoded.message);
        expect(JSON.parse(decoded.json.toString())).toEqual(JSON.parse(JSON.stringify(event)));
        expect(decoded.facts).toMatchObject({
          eventId: event.event_id,
          eventType: event.event_type,
          correlationId: event.correlation_id,
          timeUs: Date.parse(event.event_timestamp) * 1000,
          actorId: event.actor_id === '' ? null : event.actor_id,
        });
      }),
    );
  });

  const damage = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ maxLength: 8 }), remove: fc.nat({ max: 8 }) });

  test('never throws at damaged events, and what it accepts is an object with the facts it states', () => {
    fc.assert(
      fc.property(events.filter(wellFormed), fc.array(damage, { maxLength: 4 }), (event, damages) => {
        let value = asBytes(event);
        for (const { at, bytes, remove } of damages) {
          const from = at % (value.length + 1);
          value = Buffer.concat([value.subarray(0, from), bytes, value.subarray(from + remove)]);
        }
        const decoded = decode(value);
        if (!decoded.accepted) expect(Object.keys(rejectionTable)).toContain(decoded.code);
        else expect(JSON.parse(value.toString())).toMatchObject({ correlation_id: decoded.facts.correlationId });
      }),
      { numRuns: 500 },
    );
  });

  test('never throws at any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => !decode(Buffer.from(bytes)).accepted));
  });

  test('stored inside another document, an accepted event is what it was alone', () => {
    fc.assert(
      fc.property(events.filter(wellFormed), fc.constantFrom('', ' ', '\n\t'), (event, blank) => {
        const value = Buffer.from(blank + JSON.stringify(event) + blank);
        expect(decode(value).accepted).toBe(true);
        const stored = JSON.parse(`{"v":1,"event":${value.toString()}}`) as { event: unknown };
        expect(stored.event).toEqual(JSON.parse(value.toString()));
      }),
    );
  });

  test('takes time in proportion to the size of hostile values', () => {
    const fill = (text: string) => Buffer.alloc(1_048_576, text);
    const many = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, index]));
    for (const value of [
      fill('['),
      fill('"\\'),
      fill('{"a":'),
      fill('\\ud800'),
      fill('"a":'),
      asBytes(auditEvent(many)),
    ]) {
      const began = process.cpuUsage();
      decode(value);
      const used = process.cpuUsage(began);
      // Tens of milliseconds here; anything quadratic would take minutes.
      expect(used.user + used.system).toBeLessThan(5_000_000);
    }
  });
});
