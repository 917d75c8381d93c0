import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { redriveHeaders, redriveTagOf } from '../../../src/schemas/redrive-headers.ts';
import type { Header } from '../../../src/schemas/record.ts';

const tags = fc.record({
  of: fc.record({
    log: fc.nat(9999),
    partition: fc.nat(99_999),
    offset: fc.bigInt(0n, 10n ** 18n - 1n),
  }),
  attempt: fc.nat(1_000_000),
  nonce: fc.uuid(),
});

test('what is written is read, among other headers and in any order', () => {
  fc.assert(
    fc.property(tags, (tag) => {
      const other: Header = ['a', null];
      expect(redriveTagOf([other, ...redriveHeaders(tag).toReversed(), other])).toEqual(tag);
    }),
  );
});

test.each([
  ['none', () => []],
  ['one missing', (headers: Header[]) => headers.slice(1)],
  ['one twice', (headers: Header[]) => [...headers, headers[0]]],
  ['one in the place of another', (headers: Header[]) => [...headers.slice(1), headers[1]]],
  ['one that is not ours', (headers: Header[]) => [...headers, ['__immutrail.redrive.more', null]]],
  ['a null', (headers: Header[]) => headers.map(([name]) => [name, null])],
  ['no number', (headers: Header[]) => headers.map(([name]) => [name, Buffer.from('1e3')])],
])('%s is no tag, and no error', (_, change) => {
  const headers = redriveHeaders({ of: { log: 1, partition: 0, offset: 7n }, attempt: 2, nonce: 'n' });
  expect(redriveTagOf(change(headers) as Header[])).toBeNull();
});
