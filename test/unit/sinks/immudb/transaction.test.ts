import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { putAscii, putBytes } from '../../../../src/sinks/immudb/format/pen.ts';
import { setRequest } from '../../../../src/sinks/immudb/proto/messages.ts';
import { transaction } from '../../../../src/sinks/immudb/transaction.ts';

const anyLength = fc.oneof(fc.nat(300), fc.integer({ min: 16_200, max: 16_500 }));
const anyEntry = fc.record({
  key: fc.string({ minLength: 1, maxLength: 600, unit: 'grapheme-ascii' }),
  value: anyLength.map((length) => Buffer.alloc(length, 'value')),
  expected: anyLength,
  after: fc.oneof(fc.constant(1n), fc.bigInt({ min: 1n, max: 2n ** 64n - 1n })),
});

test('entries are the same bytes, added or written in place, whatever length was expected', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { maxLength: 20 }), (entries) => {
      const added = transaction();
      const inPlace = transaction();
      for (const { key, value, expected, after } of entries) {
        added.add(key, value, after);
        const pen = inPlace.open(expected);
        putAscii(pen, key);
        inPlace.value();
        putBytes(pen, value);
        inPlace.close(after);
      }
      expect(inPlace.request().equals(added.request())).toBe(true);
      expect(inPlace.entries()).toBe(entries.length);
      const read = setRequest.decode(Buffer.from(added.request()));
      expect(read.entries.map(({ key, value }) => ({ key: key.toString(), value }))).toEqual(
        entries.map(({ key, value }) => ({ key, value })),
      );
      expect(read.preconditions.map((each) => each.keyNotModifiedAfterTx)).toEqual(
        entries.map(({ key, after }) => ({ key: Buffer.from(key), txId: after })),
      );
      added.release();
      inPlace.release();
    }),
  );
});
