import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seededRandom } from '../../../src/producers/random.ts';
import { uuidV7Source } from '../../../src/producers/uuid-v7.ts';
import { canonicalEventId } from '../../../src/schemas/event-id.ts';

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const msOf = (id: string) => parseInt(id.replace('-', '').slice(0, 12), 16);
const isRising = (ids: readonly string[]) => ids.every((id, index) => index === 0 || id > (ids[index - 1] ?? ''));

describe.each([
  ['the system', () => undefined],
  ['a seed', () => seededRandom(7)],
])('ids by the randomness of %s', (_whose, random) => {
  const source = (now: () => number) => {
    const chance = random();
    return uuidV7Source({ now, ...(chance !== undefined && { random: chance }) });
  };

  test('have the form of version 7 and carry the time', () => {
    const id = source(() => 1_772_409_600_123.9)();
    expect(id).toMatch(form);
    expect(msOf(id)).toBe(1_772_409_600_123);
    expect(canonicalEventId(id)).toBe(id);
  });

  test('rise within one millisecond, beyond what the counter holds', () => {
    const next = source(() => 1_772_409_600_000);
    const ids = Array.from({ length: 20_000 }, next);
    expect(isRising(ids)).toBe(true);
    expect(msOf(ids.at(-1) ?? '') - 1_772_409_600_000).toBeLessThan(20);
  });

  test('rise whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 200 }), (times) => {
        let index = 0;
        const next = source(() => times[index++] ?? 0);
        expect(isRising(times.map(next))).toBe(true);
      }),
    );
  });
});

test('the same seed and clock make the same ids, another seed others', () => {
  const ids = (seed: number) => Array.from({ length: 5 }, uuidV7Source({ now: () => 1, random: seededRandom(seed) }));
  expect(ids(1)).toEqual(ids(1));
  expect(ids(1)).not.toEqual(ids(2));
});

test('two sources of the system share no id', () => {
  const [a, b] = [uuidV7Source({ now: () => 1 }), uuidV7Source({ now: () => 1 })];
  const ids = Array.from({ length: 2_000 }, (_, index) => (index % 2 === 0 ? a() : b()));
  expect(new Set(ids).size).toBe(ids.length);
});
