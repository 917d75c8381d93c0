import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fieldRule } from '../../../src/schemas/event-fields.ts';
import { canonicalEventId, isUuid } from '../../../src/schemas/event-id.ts';
import { anyEventId, anyText } from '../sinks/immudb/format/arbitraries.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const uuidOf = (digit: string): string => [8, 4, 4, 4, 12].map((length) => digit.repeat(length)).join('-');

/** Right ones, in either case, and some with one character taken, changed or put in. */
const ids = fc.oneof(
  anyEventId,
  anyEventId.map((id) => id.toUpperCase()),
  fc
    .tuple(anyEventId, fc.nat(36), fc.constantFrom('', '-', 'A', 'g', 'G', '0', 'ü', '/', ':', '@', '`', 'Ļ'))
    .map(([id, at, by]) => id.slice(0, at) + by + id.slice(at + 1)),
  fc.constantFrom(uuidOf('0'), uuidOf('f'), uuidOf('F')),
  anyText,
);

test('a UUID is what its pattern says, and an event id is one in lower case, neither nil nor max', () => {
  fc.assert(
    fc.property(ids, (text) => {
      expect(isUuid(text)).toBe(uuid.test(text));
      const lower = text.toLowerCase();
      const isNone = !uuid.test(text) || lower === uuidOf('0') || lower === uuidOf('f');
      expect(canonicalEventId(text)).toBe(isNone ? null : lower);
    }),
    { numRuns: 2000 },
  );
});

test('an event type is what its pattern says', () => {
  const rule = fieldRule('event_type');
  const near = fc.string({ unit: fc.constantFrom(...'azAZ09._-@[`{/:,^š'.split('')), maxLength: 4 });
  const sized = fc.integer({ min: 0, max: 102 }).map((length) => 'x'.repeat(length));
  fc.assert(
    fc.property(fc.oneof(near, sized, anyText), (text) => {
      expect(rule?.(text) === null).toBe(/^[A-Za-z0-9._-]{1,100}$/.test(text));
    }),
    { numRuns: 2000 },
  );
});
