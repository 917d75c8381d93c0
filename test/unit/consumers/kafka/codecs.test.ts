import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { codecs, maxInflatedBytes } from '../../../../src/consumers/kafka/codecs.ts';

/** Bytes that repeat, as records do, and bytes that do not. */
const someBytes = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 3000 }), fc.uint8Array({ maxLength: 300 }))
  .map(([head, times, tail]) =>
    Buffer.concat([...Array.from({ length: times }, () => Buffer.from(head)), Buffer.from(tail)]),
  );

describe.each(Object.entries(codecs))('%s', (_, codec) => {
  test('gives back what it took', () => {
    fc.assert(
      fc.property(someBytes, (bytes) => {
        expect(codec.decompress(codec.compress(bytes)).equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('refuses what inflates to more than the limit, and takes what is just there', () => {
    expect(codec.decompress(codec.compress(Buffer.alloc(maxInflatedBytes))).length).toBe(maxInflatedBytes);
    expect(() => codec.decompress(codec.compress(Buffer.alloc(maxInflatedBytes + 1)))).toThrow();
  });

  test('throws an error, and nothing else, for any damaged bytes', () => {
    const bytes = codec.compress(Buffer.from('an event, an event, an event; '.repeat(20)));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, bits, isCut) => {
        const damaged = Buffer.from(isCut ? bytes.subarray(0, at) : bytes);
        if (!isCut) damaged[at]! ^= bits;
        try {
          expect(codec.decompress(damaged).length).toBeLessThanOrEqual(maxInflatedBytes);
        } catch (error) {
          expect((error as Error).message).not.toBe('');
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what other clients write', () => {
  const text = Buffer.from('from another client '.repeat(10_000));

  test('snappy without the stream of snappy-java (librdkafka, Go)', () => {
    expect(codecs.snappy.decompress(compressSync(text))).toEqual(text);
  });

  test('lz4 with checksums of blocks and content', () => {
    const frame = compressFrameSync(text, { contentChecksum: true, blockChecksums: true });
    expect(codecs.lz4.decompress(frame)).toEqual(text);
  });

  test('several gzip members, and zstd without a stated size', () => {
    expect(codecs.gzip.decompress(Buffer.concat([gzipSync('a'), gzipSync('b')])).toString()).toBe('ab');
    const params = { [constants.ZSTD_c_contentSizeFlag]: 0 };
    expect(codecs.zstd.decompress(zstdCompressSync(text, { params }))).toEqual(text);
  });
});
