import { createRequire } from 'node:module';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from '../../../../src/consumers/kafka/crc32c.ts';
import {
  decodeRecordBatches,
  isUndecodable,
  type AbortedTransaction,
  type Fetched,
} from '../../../../src/consumers/kafka/record-batch.ts';
import type { KafkaRecord } from '../../../../src/schemas/record.ts';

const require = createRequire(import.meta.url);
type Encoded = { readonly buffer: Buffer };
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<Encoded>;
};

type Given = { readonly key: Buffer | null; readonly value: Buffer | null; readonly headers: Record<string, Buffer> };

const encode = async (records: readonly Given[], batch: object = {}): Promise<Buffer> => {
  const encoded = records.map((record, offsetDelta) =>
    encodeRecord({ ...record, offsetDelta, timestampDelta: offsetDelta * 1000 }),
  );
  const whole = await RecordBatch({
    records: encoded,
    lastOffsetDelta: records.length - 1,
    firstTimestamp: 1000,
    maxTimestamp: 2000,
    ...batch,
  });
  return Buffer.from(whole.buffer);
};

/** Changes a batch and states the checksum anew. */
const tamper = (batch: Buffer, change: (batch: Buffer) => void): Buffer => {
  const changed = Buffer.from(batch);
  change(changed);
  changed.writeUInt32BE(crc32c(changed, 21), 17);
  return changed;
};

const identity = (_: number, bytes: Buffer): Buffer => bytes;
const fetched = (bytes: Buffer, aborted: readonly AbortedTransaction[] = []): Promise<Fetched | null> =>
  decodeRecordBatches(bytes, 3, identity, aborted);
const decode = async (bytes: Buffer): Promise<readonly KafkaRecord[]> => (await fetched(bytes))?.records ?? [];

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const given: fc.Arbitrary<Given> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
    bytes,
    { maxKeys: 5 },
  ),
});

test('the checksum is that of the standard', () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
});

test('gives back what was encoded, of several batches', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(given, { minLength: 1, maxLength: 20 }),
      fc.bigInt({ min: 0n, max: 2n ** 62n }),
      async (records, first) => {
        const batch = await encode(records, { firstOffset: first, firstTimestamp: 1000 });
        const decoded = await decode(Buffer.concat([batch, batch]));
        expect(decoded).toHaveLength(records.length * 2);
        decoded.forEach((record, index) => {
          const i = index % records.length;
          expect([record.partition, record.offset]).toEqual([3, first + BigInt(i)]);
          expect(record.timestamp).toBe(BigInt(1000 + i * 1000));
          expect([record.key, record.value]).toEqual([records[i]!.key, records[i]!.value]);
          const names = Object.keys(records[i]!.headers).sort();
          expect(record.headers).toEqual(names.map((name) => [name, records[i]!.headers[name]]));
        });
      },
    ),
    { numRuns: 100 },
  );
});

test('any flipped bit is seen', async () => {
  const batch = await encode([
    { key: Buffer.from('k'), value: Buffer.from('value'), headers: { h: Buffer.from('x') } },
  ]);
  const checked = 16;
  for (let bit = checked * 8; bit < batch.length * 8; bit += 1) {
    const damaged = Buffer.from(batch);
    damaged[bit >> 3]! ^= 1 << (bit & 7);
    const error: unknown = await decode(damaged).catch((met: unknown) => met);
    expect(isUndecodable(error)).toBe(true);
  }
});

test('bytes behind a right checksum end in records or in one kind of error, quickly', async () => {
  const batch = await encode([
    { key: Buffer.from('k'), value: Buffer.from('value'), headers: { h: Buffer.from('x') } },
  ]);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 21, max: batch.length - 1 }), fc.nat(255), async (at, byte) => {
      const damaged = tamper(batch, (one) => one.writeUInt8(byte, at));
      const met: unknown = await decode(damaged).catch((error: unknown) => error);
      expect(Array.isArray(met) || isUndecodable(met)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

describe('ends of batches without records', () => {
  const absent = (from: bigint, to: bigint) => [{ from, to, reason: 'absent' }];

  test('a batch that compaction emptied stands for its offsets, compressed or not', async () => {
    const empty = await encode([], { firstOffset: 5, lastOffsetDelta: 3 });
    const nothing = { records: [], gaps: absent(5n, 9n), last: 8n };
    expect(await fetched(empty)).toMatchObject(nothing);
    expect(await fetched(tamper(empty, (one) => one.writeInt16BE(1, 21)))).toMatchObject(nothing);
  });

  test('a batch that compaction shortened ends at its last offset too', async () => {
    const shortened = await encode([{ key: null, value: null, headers: {} }], { lastOffsetDelta: 3 });
    expect(await fetched(shortened)).toMatchObject({ records: [{ offset: 0n }], gaps: absent(1n, 4n), last: 3n });
  });

  test('bytes too few for a batch say nothing', async () => {
    expect(await fetched(Buffer.alloc(0))).toBeNull();
  });
});

describe('batches that inflate', () => {
  const MiB = 1024 * 1024;
  const one = { key: null, value: Buffer.from('x'), headers: {} };
  /** Batches of one record, each said to be compressed by codec 1; what they inflate to is the second argument. */
  const several = async (count: number, inflatedBytes: number): Promise<readonly KafkaRecord[]> => {
    const batches: Buffer[] = [];
    for (let i = 0; i < count; i += 1) {
      const batch = await encode([one], { firstOffset: i });
      batches.push(tamper(batch, (changed) => changed.writeInt16BE(1, 21)));
    }
    const inflated = await encode([{ ...one, value: Buffer.alloc(inflatedBytes) }]);
    const all = await decodeRecordBatches(Buffer.concat(batches), 3, () => inflated.subarray(61));
    return all?.records ?? [];
  };

  test('are left for the next fetch once those before them have filled this one', async () => {
    expect(await several(20, MiB / 8)).toHaveLength(2);
    expect(await several(20, MiB / 100)).toHaveLength(20);
  });

  test('are read one at a time if each is larger than a fetch', async () => {
    expect(await several(3, 8 * MiB)).toHaveLength(1);
  });

  test('are all read when they are not compressed, however many there are', async () => {
    const batch = await encode([{ ...one, value: Buffer.alloc(MiB) }]);
    expect(await decode(Buffer.concat([batch, batch, batch, batch]))).toHaveLength(4);
  });
});

test('a batch cut at the end is left for the next fetch; a first batch that is cut is damaged', async () => {
  const batch = await encode([{ key: null, value: Buffer.from('x'), headers: {} }]);
  expect(await decode(Buffer.concat([batch, batch.subarray(0, 30)]))).toHaveLength(1);
  expect(await decode(Buffer.concat([batch, batch.subarray(0, 5)]))).toHaveLength(1);
  await expect(decode(batch.subarray(0, 30))).rejects.toMatchObject({ name: 'RecordBatchUndecodable' });
});

test('100,000 headers take no longer than they should', async () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`h${i}`, Buffer.from('x')]));
  const batch = await encode([{ key: null, value: null, headers: many }]);
  const began = performance.now();
  const [record] = await decode(batch);
  expect(record!.headers).toHaveLength(100_000);
  expect(performance.now() - began).toBeLessThan(5_000);
});

describe('transactions', () => {
  /** One batch each, of so many records. */
  const batchOf = (firstOffset: number, producerId: number, more: { records?: number; isMarker?: boolean } = {}) => {
    const record = { key: Buffer.alloc(4), value: null, headers: {} };
    const batch = { firstOffset, producerId, transactional: producerId !== -1 };
    return encode(
      Array.from({ length: more.records ?? 1 }, () => record),
      batch,
    ).then((bytes) => (more.isMarker === true ? tamper(bytes, (one) => one.writeInt16BE(0x30, 21)) : bytes));
  };
  const offsetsOf = async (batches: readonly Promise<Buffer>[], ...aborted: [bigint, bigint][]) => {
    const list = aborted.map(([producerId, firstOffset]) => ({ producerId, firstOffset }));
    const { records = [], gaps = [] } = (await fetched(Buffer.concat(await Promise.all(batches)), list)) ?? {};
    return {
      delivered: records.map(({ offset }) => Number(offset)),
      aborted: gaps.filter(({ reason }) => reason === 'aborted').map(({ from }) => Number(from)),
      markers: gaps.filter(({ reason }) => reason === 'control').map(({ from }) => Number(from)),
    };
  };

  test('a fetch that begins within several of them', async () => {
    const batches = [batchOf(5, 2), batchOf(6, 1), batchOf(7, 3)];
    expect(await offsetsOf(batches, [1n, 0n], [2n, 1n])).toEqual({ delivered: [7], aborted: [5, 6], markers: [] });
  });

  test('one ends at its marker, not at a key of four zero bytes', async () => {
    const batches = [batchOf(0, 1, { records: 2 }), batchOf(2, 1, { isMarker: true }), batchOf(3, 1)];
    expect(await offsetsOf(batches, [1n, 0n])).toEqual({ delivered: [3], aborted: [0, 1], markers: [2] });
  });

  test('records outside of transactions, and before the first offset, are delivered', async () => {
    const batches = [batchOf(0, 1), batchOf(1, -1), batchOf(2, 1)];
    expect(await offsetsOf(batches, [1n, 2n])).toEqual({ delivered: [0, 1], aborted: [2], markers: [] });
  });
});
