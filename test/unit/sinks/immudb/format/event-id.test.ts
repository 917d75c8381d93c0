import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalEventId } from '../../../../../src/schemas/event-id.ts';
import { isEventId } from '../../../../../src/sinks/immudb/format/event-id.ts';
import { anyEventId, anyText } from './arbitraries.ts';

test('an event id is what the schemas call canonical', () => {
  const changed = fc
    .tuple(anyEventId, fc.nat(36), fc.constantFrom('', '-', 'A', 'g', '0', 'ü', '/', ':', '`'))
    .map(([id, at, by]) => id.slice(0, at) + by + id.slice(at + 1));
  const nilOrMax = fc.constantFrom('0', 'f', 'F').map((digit) => uuidOf(digit));
  fc.assert(
    fc.property(fc.oneof(anyEventId, changed, nilOrMax, anyText), (text) => {
      expect(isEventId(text)).toBe(canonicalEventId(text) === text);
    }),
    { numRuns: 1000 },
  );
});

const uuidOf = (digit: string): string => [8, 4, 4, 4, 12].map((length) => digit.repeat(length)).join('-');
