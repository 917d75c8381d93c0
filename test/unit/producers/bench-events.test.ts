import { expect, test } from '@jest/globals';
import { benchEvents } from '../../../bench/events.ts';
import { decodeWith } from '../../../src/schemas/decode.ts';
import { payloadRule } from '../../../src/schemas/payload-rule.ts';

const decode = decodeWith(payloadRule('enforce'));

const startMs = Date.UTC(2026, 2, 2);
const options = { count: 3_000, perCorrelation: 20, sizeBytes: 1_024, startMs, timeSpreadMs: 60_000 };
const events = [...benchEvents(options)];
const facts = events.map(({ value }) => {
  const decoded = decode(value);
  if (!decoded.accepted) throw new Error(decoded.message);
  return decoded.facts;
});

test('bench events are valid, of the size asked for, and the same every time', () => {
  expect(facts.length).toBe(3_000);
  expect(events.every(({ value }) => value?.length === 1_024)).toBe(true);
  const text = [...benchEvents(options)].map(({ value }) => String(value)).join('\n');
  expect(text === events.map(({ value }) => String(value)).join('\n')).toBe(true);
  expect(
    [...benchEvents({ ...options, count: 100, sizeBytes: 5_000 })].every(({ value }) => value?.length === 5_000),
  ).toBe(true);
});

test('bench events have rising ids and times over the whole span', () => {
  const ids = facts.map(({ eventId }) => eventId);
  expect(ids).toEqual([...new Set(ids)].toSorted());
  const times = facts.map(({ timeUs }) => timeUs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[0]).toBe(startMs * 1000);
  expect(times.at(-1)).toBe(startMs * 1000 + (60_000_000 * 2_999) / 3_000);
});

test('each correlation has its number of events, of all kinds, under its key', () => {
  const kinds = new Map<string, string[]>();
  facts.forEach(({ correlationId, eventType }, index) => {
    expect(events[index]?.key).toBe(correlationId);
    kinds.set(correlationId, [...(kinds.get(correlationId) ?? []), eventType]);
  });
  expect(kinds.size).toBe(150);
  for (const types of kinds.values()) {
    expect(types.length).toBe(20);
    expect(new Set(types).size).toBe(10);
  }
});
