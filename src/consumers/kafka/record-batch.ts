import { crc32c } from './crc32c.ts';

/**
 * Record batches of format version 2 (Kafka 0.11 and later), decoded strictly: checksum, every length and every count
 * are held to the bytes that are there. Layout: https://kafka.apache.org/documentation/#recordbatch
 */

/** A header's values under one name, in the producer's order, as kafkajs hands them out. */
export type RawHeaders = Record<string, Buffer | null | (Buffer | null)[]>;

/** One record in the shape in which kafkajs passes records on; the flags after `batchContext` are ours. */
export type RawRecord = {
  readonly magicByte: number;
  readonly attributes: number;
  readonly timestamp: string;
  readonly offset: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RawHeaders;
  /** True for everything that kafkajs must not deliver: transaction markers, and records with a flag below. */
  readonly isControlRecord: boolean;
  readonly batchContext: BatchContext;
  /**
   * Stands for offsets at the end of a batch that hold no record: compaction keeps a batch's header, with its last
   * offset, when it removes some or all of its records. `offset` is the batch's last offset.
   */
  readonly isEmptyBatch?: true;
  /** Belongs to a transaction that was aborted. */
  readonly isAborted?: true;
};

export type BatchContext = {
  readonly firstOffset: string;
  readonly firstTimestamp: string;
  readonly partitionLeaderEpoch: number;
  readonly inTransaction: boolean;
  readonly isControlBatch: boolean;
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly maxTimestamp: string;
  /** 0: the producer's time, 1: the broker's. */
  readonly timestampType: 0 | 1;
  readonly magicByte: number;
};

/** Codec number as in a batch's attributes (1 gzip, 2 snappy, 3 lz4, 4 zstd). Throws on bytes it cannot read. */
export type Decompress = (codec: number, compressed: Buffer) => Buffer | Promise<Buffer>;

const codecNames = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type Undecodable = Error & {
  readonly name: 'RecordBatchUndecodable';
  /** kafkajs gives up at once, and its consumer does not start again. */
  readonly retriable: false;
  readonly codec: string;
  readonly firstOffset: string;
  /** What was met. Not `cause`: kafkajs replaces an error that has one by its cause. */
  readonly reason: unknown;
  readonly topic?: string;
  readonly partition?: number;
};

export const isUndecodable = (error: unknown): error is Undecodable =>
  error instanceof Error && error.name === 'RecordBatchUndecodable';

const undecodable = (codec: string, firstOffset: bigint, reason: unknown): Undecodable => {
  const why = reason instanceof Error ? reason.message : String(reason);
  const message = `the record batch at offset ${String(firstOffset)} (codec ${codec}) cannot be decoded: ${why}`;
  return Object.assign(new Error(message), {
    name: 'RecordBatchUndecodable' as const,
    retriable: false as const,
    codec,
    firstOffset: String(firstOffset),
    reason,
  });
};

const LENGTH_AT = 8;
const LEADER_EPOCH_AT = 12;
export const MAGIC_AT = 16;
const CRC_AT = 17;
const ATTRIBUTES_AT = 21;
const RECORDS_AT = 61;
/** attributes, timestamp delta, offset delta, key length, value length, header count, and the length before them. */
const SMALLEST_RECORD = 7;

/** So much of a partition is inflated in any case. */
const leastInflatedBytes = 256 * 1024;

/**
 * The records of a partition's part of a fetch response. A batch cut off at the end (a broker cuts at a number of
 * bytes) is left for the next fetch; the first batch is never cut, so if it is, its length is wrong. A fetch is bounded
 * by its compressed bytes, of which 1 MiB can be 100,000 records: batches are left for the next fetch, too, once those
 * before them have inflated to half of the bytes that came, which are held as well meanwhile.
 * Rejects with `Undecodable`.
 */
export const decodeRecordBatches = async (bytes: Buffer, decompress: Decompress): Promise<RawRecord[]> => {
  const records: RawRecord[] = [];
  let at = 0;
  let room = Math.max(leastInflatedBytes, bytes.length / 2);
  while (bytes.length - at >= LEADER_EPOCH_AT && room > 0) {
    const length = bytes.readInt32BE(at + LENGTH_AT);
    const end = at + LEADER_EPOCH_AT + length;
    if (end > bytes.length && at > 0) break;
    const batch = bytes.subarray(at, Math.min(Math.max(end, at + LEADER_EPOCH_AT), bytes.length));
    room -= await decodeBatch(batch, length, decompress, records);
    at = end;
  }
  return records;
};

/** Resolves with the bytes that the batch inflated to; 0 if it was not compressed. */
const decodeBatch = async (
  batch: Buffer,
  length: number,
  decompress: Decompress,
  into: RawRecord[],
): Promise<number> => {
  const firstOffset = batch.readBigInt64BE(0);
  const codec = batch.length > ATTRIBUTES_AT + 1 ? batch.readInt16BE(ATTRIBUTES_AT) & 0x07 : 0;
  try {
    checkFrame(batch, length);
    const context = readContext(batch, firstOffset);
    const compressed = batch.subarray(RECORDS_AT);
    const count = batch.readInt32BE(RECORDS_AT - 4);
    const body = codec === 0 || count === 0 ? compressed : await decompress(codec, compressed);
    decodeRecords(codec !== 0 && count === 0 ? Buffer.alloc(0) : body, count, firstOffset, context, into);
    return codec === 0 ? 0 : RECORDS_AT + body.length;
  } catch (error) {
    throw undecodable(codecNames[codec] ?? `number ${codec}`, firstOffset, error);
  }
};

const checkFrame = (batch: Buffer, length: number): void => {
  if (length < RECORDS_AT - LEADER_EPOCH_AT) throw new Error(`a batch of ${length} bytes is smaller than its header`);
  if (batch.length < LEADER_EPOCH_AT + length)
    throw new Error(`${batch.length} bytes are there, ${length} were promised`);
  const magic = batch.readInt8(MAGIC_AT);
  if (magic !== 2) throw new Error(`message format ${magic} is not known`);
  const stated = batch.readUInt32BE(CRC_AT);
  if (stated !== crc32c(batch, ATTRIBUTES_AT)) throw new Error('the checksum does not match the bytes');
};

const readContext = (batch: Buffer, firstOffset: bigint): BatchContext => {
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  return {
    firstOffset: String(firstOffset),
    partitionLeaderEpoch: batch.readInt32BE(LEADER_EPOCH_AT),
    magicByte: 2,
    timestampType: attributes & 0x08 ? 1 : 0,
    inTransaction: (attributes & 0x10) !== 0,
    isControlBatch: (attributes & 0x20) !== 0,
    lastOffsetDelta: batch.readInt32BE(23),
    firstTimestamp: String(batch.readBigInt64BE(27)),
    maxTimestamp: String(batch.readBigInt64BE(35)),
    producerId: String(batch.readBigInt64BE(43)),
    producerEpoch: batch.readInt16BE(51),
    firstSequence: batch.readInt32BE(53),
  };
};

const decodeRecords = (body: Buffer, count: number, first: bigint, context: BatchContext, into: RawRecord[]): void => {
  if (count < 0 || count * SMALLEST_RECORD > body.length) throw new Error(`${count} records in ${body.length} bytes`);
  const cursor: Cursor = { bytes: body, at: 0, end: body.length };
  const firstTimestamp = BigInt(context.firstTimestamp);
  let lastDelta = -1;
  for (let i = 0; i < count; i += 1) {
    lastDelta = decodeRecord(cursor, first, firstTimestamp, context, into);
  }
  if (cursor.at !== body.length) throw new Error(`${body.length - cursor.at} bytes are left after the last record`);
  if (lastDelta < context.lastOffsetDelta) into.push(endOfBatch(first, context));
};

const endOfBatch = (first: bigint, context: BatchContext): RawRecord => ({
  magicByte: 2,
  attributes: 0,
  timestamp: context.maxTimestamp,
  offset: String(first + BigInt(context.lastOffsetDelta)),
  key: null,
  value: null,
  headers: {},
  isControlRecord: true,
  batchContext: context,
  isEmptyBatch: true,
});

const decodeRecord = (
  cursor: Cursor,
  firstOffset: bigint,
  firstTimestamp: bigint,
  context: BatchContext,
  into: RawRecord[],
): number => {
  const length = readVarint(cursor);
  const end = cursor.at + length;
  if (length < 0 || end > cursor.bytes.length) throw new Error(`a record of ${length} bytes does not fit`);
  cursor.end = end;
  const attributes = readByte(cursor);
  const timestampDelta = readVarlong(cursor);
  const offsetDelta = readVarint(cursor);
  into.push({
    magicByte: 2,
    attributes,
    timestamp: context.timestampType === 1 ? context.maxTimestamp : String(firstTimestamp + timestampDelta),
    offset: String(firstOffset + BigInt(offsetDelta)),
    key: readBytes(cursor),
    value: readBytes(cursor),
    headers: readHeaders(cursor),
    isControlRecord: context.isControlBatch,
    batchContext: context,
  });
  if (cursor.at !== end) throw new Error(`${end - cursor.at} bytes are left in a record`);
  cursor.end = cursor.bytes.length;
  return offsetDelta;
};

const noHeaders: RawHeaders = Object.freeze(Object.create(null) as RawHeaders);

/**
 * Without a prototype, so that a header called `constructor` or `__proto__` is a header like any other, and each
 * header is added once: copying what is there for every further one takes minutes over a record of 100,000 headers.
 */
const readHeaders = (cursor: Cursor): RawHeaders => {
  const count = readVarint(cursor);
  if (count === 0) return noHeaders;
  if (count < 0 || count * 2 > cursor.end - cursor.at) throw new Error(`${count} headers do not fit`);
  const headers = Object.create(null) as RawHeaders;
  for (let i = 0; i < count; i += 1) addHeader(headers, readBytes(cursor), readBytes(cursor));
  return headers;
};

const addHeader = (headers: RawHeaders, name: Buffer | null, value: Buffer | null): void => {
  if (name === null) throw new Error('a header has no name');
  const key = name.toString('utf8');
  const known = headers[key];
  if (known === undefined) headers[key] = value;
  else if (Array.isArray(known)) known.push(value);
  else headers[key] = [known, value];
};

type Cursor = { readonly bytes: Buffer; at: number; end: number };

const readByte = (cursor: Cursor): number => {
  const byte = cursor.at < cursor.end ? cursor.bytes[cursor.at] : undefined;
  if (byte === undefined) throw new Error('the bytes end within a record');
  cursor.at += 1;
  return byte;
};

/** Zigzag varint of at most 32 bits: https://protobuf.dev/programming-guides/encoding/#signed-ints */
const readVarint = (cursor: Cursor): number => {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = readByte(cursor);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (value >>> 1) ^ -(value & 1);
  }
  throw new Error('a number is longer than 32 bits');
};

const readVarlong = (cursor: Cursor): bigint => {
  const start = cursor.at;
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = readByte(cursor);
    if (shift === 0n && byte < 0x80) return BigInt((byte >>> 1) ^ -(byte & 1));
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }
  throw new Error(`the number at byte ${start} is longer than 64 bits`);
};

const readBytes = (cursor: Cursor): Buffer | null => {
  const length = readVarint(cursor);
  if (length === -1) return null;
  if (length < 0 || length > cursor.end - cursor.at) throw new Error(`${length} bytes do not fit`);
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
};
