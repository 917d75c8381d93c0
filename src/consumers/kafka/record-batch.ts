import type { Gap, GapReason, Header, KafkaRecord } from '../../schemas/record.ts';
import { crc32c } from './crc32c.ts';

/**
 * Record batches of format version 2 (Kafka 0.11 and later), decoded strictly: checksum, every length and every count
 * are held to the bytes that are there. Layout: https://kafka.apache.org/documentation/#recordbatch
 */

/** What one fetch returned of a partition, in order of offsets. */
export type Fetched = {
  readonly records: readonly KafkaRecord[];
  /** Offsets that hold no record for us, with the reason that the bytes give. */
  readonly gaps: readonly Gap[];
  /** The last offset that it says something of. */
  readonly last: bigint;
};

export type AbortedTransaction = { readonly producerId: bigint; readonly firstOffset: bigint };

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
 * A partition's part of a fetch response; null if it holds nothing that can be read. A batch cut off at the end (a
 * broker cuts at a number of bytes) is left for the next fetch; the first batch is never cut, so if it is, its length is
 * wrong. A fetch is bounded by its compressed bytes, of which 1 MiB can be 100,000 records: batches are left for the
 * next fetch, too, once those before them have inflated to half of the bytes that came, which are held as well
 * meanwhile. Rejects with `Undecodable`.
 */
export const decodeRecordBatches = async (
  bytes: Buffer,
  partition: number,
  decompress: Decompress,
  aborted: readonly AbortedTransaction[] = [],
): Promise<Fetched | null> => {
  const withheldAs = withholding(aborted);
  const into: Into = { partition, records: [], gaps: [], last: -1n };
  let at = 0;
  let room = Math.max(leastInflatedBytes, bytes.length / 2);
  while (bytes.length - at >= LEADER_EPOCH_AT && room > 0) {
    const length = bytes.readInt32BE(at + LENGTH_AT);
    const end = at + LEADER_EPOCH_AT + length;
    if (end > bytes.length && at > 0) break;
    const batch = bytes.subarray(at, Math.min(Math.max(end, at + LEADER_EPOCH_AT), bytes.length));
    room -= await decodeBatch(batch, length, decompress, withheldAs, into);
    at = end;
  }
  return into.last === -1n ? null : into;
};

type Into = Fetched & {
  readonly partition: number;
  readonly records: KafkaRecord[];
  readonly gaps: Gap[];
  last: bigint;
};

/** Resolves with the bytes that the batch inflated to; 0 if it was not compressed. */
const decodeBatch = async (
  batch: Buffer,
  length: number,
  decompress: Decompress,
  withheldAs: (head: BatchHead) => GapReason | null,
  into: Into,
): Promise<number> => {
  const firstOffset = batch.readBigInt64BE(0);
  const codec = batch.length > ATTRIBUTES_AT + 1 ? batch.readInt16BE(ATTRIBUTES_AT) & 0x07 : 0;
  try {
    checkFrame(batch, length);
    const head = readHead(batch, firstOffset);
    const compressed = batch.subarray(RECORDS_AT);
    const count = batch.readInt32BE(RECORDS_AT - 4);
    const body = codec === 0 || count === 0 ? compressed : await decompress(codec, compressed);
    const withheld = withheldAs(head);
    decodeRecords(codec !== 0 && count === 0 ? Buffer.alloc(0) : body, count, head, withheld, into);
    return codec === 0 ? 0 : RECORDS_AT + body.length;
  } catch (error) {
    throw undecodable(codecNames[codec] ?? `number ${codec}`, firstOffset, error);
  }
};

/**
 * Why the records of a batch are none for us; to be asked of each batch in order. A transaction of the list is open from
 * its first offset to its producer's next marker. kafkajs's own filter opens one aborted transaction per record, so that
 * a fetch which begins within several of them delivers what was aborted, and it ends a transaction at any record whose
 * key is four zero bytes, marker or not.
 */
const withholding = (aborted: readonly AbortedTransaction[]): ((head: BatchHead) => GapReason | null) => {
  const waiting = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? 1 : -1));
  const open = new Set<bigint>();
  return ({ firstOffset, producerId, isControl, inTransaction }) => {
    for (let next = waiting.at(-1); next && next.firstOffset <= firstOffset; next = waiting.at(-1)) {
      open.add(next.producerId);
      waiting.pop();
    }
    if (isControl) {
      open.delete(producerId);
      return 'control';
    }
    return inTransaction && open.has(producerId) ? 'aborted' : null;
  };
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

/** What a batch's own bytes say of all its records. */
type BatchHead = {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: bigint;
  readonly maxTimestamp: bigint;
  readonly timestampType: KafkaRecord['timestampType'];
  readonly producerId: bigint;
  readonly inTransaction: boolean;
  readonly isControl: boolean;
};

const readHead = (batch: Buffer, firstOffset: bigint): BatchHead => {
  const attributes = batch.readInt16BE(ATTRIBUTES_AT);
  return {
    firstOffset,
    lastOffsetDelta: batch.readInt32BE(23),
    firstTimestamp: batch.readBigInt64BE(27),
    maxTimestamp: batch.readBigInt64BE(35),
    timestampType: attributes & 0x08 ? 'append' : 'create',
    producerId: batch.readBigInt64BE(43),
    inTransaction: (attributes & 0x10) !== 0,
    isControl: (attributes & 0x20) !== 0,
  };
};

const decodeRecords = (body: Buffer, count: number, head: BatchHead, withheld: GapReason | null, into: Into): void => {
  if (count < 0 || count * SMALLEST_RECORD > body.length) throw new Error(`${count} records in ${body.length} bytes`);
  const cursor: Cursor = { bytes: body, at: 0, end: body.length };
  let next = head.firstOffset;
  for (let i = 0; i < count; i += 1) {
    const record = decodeRecord(cursor, into.partition, head);
    next = record.offset + 1n;
    if (withheld === null) into.records.push(record);
    else into.gaps.push({ from: record.offset, to: next, reason: withheld });
  }
  if (cursor.at !== body.length) throw new Error(`${body.length - cursor.at} bytes are left after the last record`);
  // Compaction keeps a batch's head, with its last offset, when it removes some or all of its records.
  const last = head.firstOffset + BigInt(head.lastOffsetDelta);
  if (next <= last) into.gaps.push({ from: next, to: last + 1n, reason: 'absent' });
  into.last = next <= last ? last : next - 1n;
};

const decodeRecord = (cursor: Cursor, partition: number, head: BatchHead): KafkaRecord => {
  const length = readVarint(cursor);
  const end = cursor.at + length;
  if (length < 0 || end > cursor.bytes.length) throw new Error(`a record of ${length} bytes does not fit`);
  cursor.end = end;
  // Its attributes, of which none is in use.
  readByte(cursor);
  const timestampDelta = readVarlong(cursor);
  const offsetDelta = readVarint(cursor);
  const record: KafkaRecord = {
    partition,
    offset: head.firstOffset + BigInt(offsetDelta),
    timestamp: head.timestampType === 'append' ? head.maxTimestamp : head.firstTimestamp + timestampDelta,
    timestampType: head.timestampType,
    key: readBytes(cursor),
    value: readBytes(cursor),
    headers: readHeaders(cursor),
  };
  if (cursor.at !== end) throw new Error(`${end - cursor.at} bytes are left in a record`);
  cursor.end = cursor.bytes.length;
  return record;
};

const noHeaders: readonly Header[] = [];

const readHeaders = (cursor: Cursor): readonly Header[] => {
  const count = readVarint(cursor);
  if (count === 0) return noHeaders;
  if (count < 0 || count * 2 > cursor.end - cursor.at) throw new Error(`${count} headers do not fit`);
  const headers: Header[] = [];
  for (let i = 0; i < count; i += 1) {
    const name = readBytes(cursor);
    if (name === null) throw new Error('a header has no name');
    headers.push([name.toString('utf8'), readBytes(cursor)]);
  }
  return headers.sort(byName);
};

/** Equal names stay in the producer's order. */
const byName = ([a]: Header, [b]: Header) => (a < b ? -1 : Number(a > b));

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
