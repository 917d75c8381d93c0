import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { distance, nearest } from '../../../src/config/nearest.ts';

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });

test('distance is a metric', () => {
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(distance(a, b)).toBe(distance(b, a));
      expect(distance(a, b) === 0).toBe(a === b);
      expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
      expect(distance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
  expect(distance('kitten', 'sitting')).toBe(3);
});

test('the nearest word is offered only when it is near', () => {
  expect(nearest('brokrs', ['brokers', 'topic'])).toBe('brokers');
  expect(nearest('zzzzzzzz', ['brokers', 'topic'])).toBeUndefined();
  expect(nearest('x', [])).toBeUndefined();
});
