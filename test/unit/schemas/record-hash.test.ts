import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Header, KafkaRecord } from '../../../src/schemas/record.ts';
import { recordSha256, valueSha256 } from '../../../src/schemas/record-hash.ts';

const record = (key: Buffer | null, headers: readonly Header[], value: Buffer | null): KafkaRecord => ({
  partition: 3,
  offset: 7n,
  timestamp: 1n,
  timestampType: 'create',
  key,
  value,
  headers,
});

/** The definition, written down a second time without any care for speed. */
const reference = ({ key, headers, value }: KafkaRecord): string => {
  const count = (number: number) => Buffer.from(number.toString(16).padStart(16, '0'), 'hex');
  const part = (bytes: Buffer | null) =>
    bytes === null ? Buffer.alloc(8, 0xff) : Buffer.concat([count(bytes.length), bytes]);
  const named = headers.flatMap(([name, bytes]) => [part(Buffer.from(name)), part(bytes)]);
  const all = Buffer.concat([part(key), count(headers.length), ...named, part(value)]);
  return createHash('sha256').update(all).digest('hex');
};

const bytes = fc.option(
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
  { nil: null },
);
const headers = fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 10 }), bytes), { maxLength: 5 });
const byName = (list: readonly Header[]) => [...list].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

describe('record hash', () => {
  test('of a known record', () => {
    const known = record(Buffer.from('k'), [['a', null]], Buffer.alloc(0));
    const input = '00000000000000016b0000000000000001000000000000000161ffffffffffffffff0000000000000000';
    expect(recordSha256(known)).toBe(createHash('sha256').update(input, 'hex').digest('hex'));
  });

  test('is as defined', () => {
    fc.assert(
      fc.property(bytes, headers, bytes, (key, list, value) => {
        const sorted = record(key, byName(list), value);
        expect(recordSha256(sorted)).toBe(reference(sorted));
        expect(recordSha256(record(key, list, value))).toBe(reference(sorted));
      }),
    );
  });

  test('of a record larger than the scratch buffer, before and after small ones', () => {
    const small = record(null, [], Buffer.from('x'));
    const large = record(Buffer.from('k'), [['h', Buffer.alloc(200_000, 1)]], Buffer.alloc(200_000, 2));
    for (const each of [small, large, small]) expect(recordSha256(each)).toBe(reference(each));
  });

  test('tells null from empty, and a header from a value', () => {
    const empty = Buffer.alloc(0);
    const all = [
      record(null, [], null),
      record(empty, [], null),
      record(null, [], empty),
      record(null, [['', null]], null),
      record(null, [['', empty]], null),
      record(null, [['a', Buffer.from('b')]], null),
      record(null, [['ab', empty]], null),
    ];
    expect(new Set(all.map(recordSha256)).size).toBe(all.length);
  });

  test('keeps the order of equal names', () => {
    const [one, two] = [Buffer.from('1'), Buffer.from('2')];
    const hash = (...list: Header[]) => recordSha256(record(null, list, null));
    expect(hash(['a', one], ['a', two])).not.toBe(hash(['a', two], ['a', one]));
    expect(hash(['b', null], ['a', one], ['a', two])).toBe(hash(['a', one], ['a', two], ['b', null]));
  });
});

test('hash of a value', () => {
  const ofNothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  expect(valueSha256(null)).toBe(ofNothing);
  expect(valueSha256(Buffer.alloc(0))).toBe(ofNothing);
  expect(valueSha256(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
