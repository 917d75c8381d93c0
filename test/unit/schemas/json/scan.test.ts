import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { outerMembersOf, scanJson } from '../../../../src/schemas/json/scan.ts';

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

const membersOf = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, child) => sum + membersOf(child), own);
};

describe('scan', () => {
  test('agrees with what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const value = JSON.parse(text) as unknown;
        const written = JSON.stringify(value, null, indent);
        expect(scanJson(Buffer.from(written))).toEqual({
          depth: depthOf(value),
          outerMembers: typeof value === 'object' && !Array.isArray(value) ? Object.keys(value ?? {}).length : 0,
          members: membersOf(value),
          loneSurrogate: !isWellFormed(value),
        });
      }),
    );
  });

  test('finds half a surrogate pair exactly where String.isWellFormed does', () => {
    const units = fc.array(fc.constantFrom('\\ud83d', '\\uDE00', '\\\\', 'u', 'd', '\\u0041', '\\"', 'x', '\\n'));
    fc.assert(
      fc.property(units, (parts) => {
        const text = `"${parts.join('')}"`;
        const value = JSON.parse(text) as string;
        expect(scanJson(Buffer.from(text)).loneSurrogate).toBe(!value.isWellFormed());
      }),
      { numRuns: 1000 },
    );
  });

  test('cuts the outermost object into its members', () => {
    const keys = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), fc.constantFrom(undefined, 2), (value, indent) => {
        const bytes = Buffer.from(JSON.stringify(value, null, indent));
        const read = [...outerMembersOf(bytes)].map(({ key, from, to }) => {
          expect(bytes.toString('utf8', from, to)).toBe(bytes.toString('utf8', from, to).trim());
          return [JSON.parse(Buffer.from(key).toString()), JSON.parse(bytes.toString('utf8', from, to))] as unknown[];
        });
        expect(read).toEqual(Object.entries(JSON.parse(JSON.stringify(value)) as object));
      }),
    );
  });

  test('ends on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        scanJson(bytes);
        return [...outerMembersOf(bytes)].length <= bytes.length;
      }),
    );
  });
});

function isWellFormed(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every(([key, child]) => key.isWellFormed() && isWellFormed(child));
}
