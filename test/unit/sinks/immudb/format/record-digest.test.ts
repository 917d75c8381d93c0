import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Header } from '../../../../../src/schemas/record.ts';
import { recordSha256 } from '../../../../../src/sinks/immudb/format/record-digest.ts';
import { anyBytes, anyText } from './arbitraries.ts';

/** The definition in docs/ledger-format.md, spelled out. */
const reference = (key: Buffer | null, headers: readonly Header[], value: Buffer | null): string => {
  const digest = createHash('sha256');
  const number = (count: number): void => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(BigInt(count));
    digest.update(bytes);
  };
  const part = (bytes: Buffer | null): void => {
    if (bytes === null) return void digest.update(Buffer.alloc(8, 0xff));
    number(bytes.length);
    digest.update(bytes);
  };
  part(key);
  number(headers.length);
  for (const [name, bytes] of headers) {
    part(Buffer.from(name));
    part(bytes);
  }
  part(value);
  return digest.digest('hex');
};

const nullable = fc.option(anyBytes, { nil: null });

describe('record_sha256', () => {
  test('is as defined', () => {
    const anyHeaders = fc.array(fc.tuple(anyText, nullable), { maxLength: 5 });
    fc.assert(
      fc.property(nullable, anyHeaders, nullable, (key, headers, value) => {
        const sorted = headers.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(recordSha256({ key, headers, value })).toBe(reference(key, sorted, value));
      }),
    );
  });

  test('does not depend on the order of different names, and does on that of equal ones', () => {
    const one: Header = ['a', Buffer.from('1')];
    const two: Header = ['a', Buffer.from('2')];
    const other: Header = ['b', null];
    const of = (...headers: Header[]): string => recordSha256({ key: null, headers, value: null });
    expect(of(one, two, other)).toBe(of(other, one, two));
    expect(of(one, two)).not.toBe(of(two, one));
  });

  test('tells null from empty everywhere', () => {
    const empty = Buffer.alloc(0);
    const of = (key: Buffer | null, header: Buffer | null, value: Buffer | null): string =>
      recordSha256({ key, headers: [['h', header]], value });
    const all = [of(null, null, null), of(empty, null, null), of(null, empty, null), of(null, null, empty)];
    expect(new Set(all).size).toBe(4);
  });
});
