import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  digestOfEntry,
  entryDigest,
  rootOfDigests,
  storedKey,
  valueHash,
  type Entry,
} from '../../../src/proofs/entry.ts';
import { sha256 } from '../../../src/sinks/immudb/sha256.ts';
import { nextTx } from '../../support/reference-ledger.ts';
import { sha } from '../../support/reference-tree.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const entries = fc.array(
  fc.record({
    key: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    value: fc.uint8Array({ maxLength: 5000 }),
    metadata: fc.option(
      fc.record(
        { deleted: fc.boolean(), expiresAt: fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }), nonIndexable: fc.boolean() },
        { requiredKeys: [] },
      ),
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('entries', () => {
  test('have the digests and the root that the reference makes', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const { digests, header } = nextTx([], list);
        expect(list.map((entry) => hex(digestOfEntry(entry, sha256)))).toEqual(digests.map(hex));
        expect(hex(rootOfDigests(digests, sha256))).toBe(hex(header.eH));
      }),
    );
  });

  test('any two different entries have different digests', () => {
    fc.assert(
      fc.property(entries, (list) => {
        const stated = new Set(list.map(statement));
        expect(new Set(list.map((entry) => hex(digestOfEntry(entry, sha256)))).size).toBe(stated.size);
      }),
    );
  });

  test.each([0, 1, 4094, 4095, 4096, 100_000, (1 << 20) - 1, 1 << 20, 3 << 20])(
    'a value of %i bytes is hashed behind its prefix',
    (length) => {
      const value = new Uint8Array(length).fill(5);
      expect(hex(valueHash(value, sha256))).toBe(hex(sha(Uint8Array.of(0), value)));
    },
  );

  test('empty metadata counts as none', () => {
    const entry = { key: Buffer.from('k'), value: Buffer.from('v') };
    expect(hex(digestOfEntry({ ...entry, metadata: {} }, sha256))).toBe(
      hex(digestOfEntry({ ...entry, metadata: null }, sha256)),
    );
  });

  test.each([
    ['no key', new Uint8Array(), new Uint8Array(32), 'key of 0 bytes'],
    ['a key that is too long', new Uint8Array(65_536), new Uint8Array(32), 'key of 65536 bytes'],
    ['a short value hash', storedKey(Uint8Array.of(65)), new Uint8Array(31), '31 bytes'],
  ])('%s is refused', (_, key, hValue, message) => {
    expect(() => entryDigest({ storedKey: key, hValue, metadata: null }, sha256)).toThrow(message);
  });
});

test('an empty key is refused', () => {
  expect(() => digestOfEntry({ key: new Uint8Array(), value: new Uint8Array(), metadata: null }, sha256)).toThrow(
    'key is empty',
  );
});

const statement = ({ key, value, metadata }: Entry): string => {
  const { deleted = false, expiresAt, nonIndexable = false } = metadata ?? {};
  const kept = deleted && value.length === 0 ? 'nothing' : hex(value);
  return [hex(key), kept, deleted, expiresAt, nonIndexable].join('|');
};
