import { describe, expect, test } from '@jest/globals';
import { edited } from '../../../src/redrive/edit.ts';
import { isEventId } from '../../../src/sinks/immudb/format/event-id.ts';

const runId = '0198c2f4-7c1e-7abc-8def-0123456789ab';
const at = { log: 1, partition: 3, offset: 42n };
const text = (result: ReturnType<typeof edited>): string => (result.ok ? String(result.value) : `no: ${result.why}`);

describe('an edit', () => {
  const original = Buffer.from('{ "a": 12345678901234567890, "b" : "\\u0041",\n "c":[1.0, {}] }');

  test('leaves the bytes of what it does not name', () => {
    expect(text(edited(original, { set: { d: 'x' } }, runId, at))).toBe(
      '{"a":12345678901234567890,"b":"\\u0041","c":[1.0, {}],"d":"x"}',
    );
  });
  test('replaces in place, takes away, and takes any name', () => {
    const set = { b: 'ü"', c: null, __proto__x: 1, constructor: 2 };
    expect(text(edited(original, { set }, runId, at))).toBe(
      '{"a":12345678901234567890,"b":"ü\\"","__proto__x":1,"constructor":2}',
    );
  });
  test('of nothing is the very value, and a whole new value is taken as it is', () => {
    expect(edited(original, {}, runId, at)).toEqual({ ok: true, value: original });
    expect(edited(null, {}, runId, at)).toEqual({ ok: true, value: null });
    const value = Buffer.from('anything');
    expect(edited(original, { value }, runId, at)).toEqual({ ok: true, value });
  });
  test.each([
    ['no JSON', Buffer.from('{"a":')],
    ['no object', Buffer.from('[1]')],
    ['no value', null],
  ])('of %s cannot be', (_, value) => {
    expect(edited(value, { set: { a: 1 } }, runId, at)).toMatchObject({ ok: false });
  });
});

test('a new id is a UUID of version 7, the same for the same redrive of the same letter only', () => {
  const idOf = (run: string, offset: bigint) => {
    const { event_id } = JSON.parse(
      text(edited(Buffer.from('{"event_id":"x"}'), { newId: true }, run, { ...at, offset })),
    ) as {
      event_id: string;
    };
    return event_id;
  };
  expect(isEventId(idOf(runId, 1n))).toBe(true);
  expect(idOf(runId, 1n)).toMatch(/^0198c2f4-7c1e-7[0-9a-f]{3}-[89ab]/);
  expect(idOf(runId, 1n)).toBe(idOf(runId, 1n));
  const others = [idOf(runId, 1n), idOf(runId, 2n), idOf('0198c2f4-7c1e-7abd-8def-0123456789ab', 1n)];
  expect(new Set(others).size).toBe(3);
});
