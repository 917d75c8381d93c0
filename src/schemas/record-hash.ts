import { hash } from 'node:crypto';
import type { Header, KafkaRecord } from './record.ts';

const lengthBytes = 8;
const none = 0xffff_ffff_ffff_ffffn;

/** Kept between calls; a record that needs more gets its own buffer, so that one giant does not hold memory for ever. */
const scratch = Buffer.allocUnsafeSlow(262_144);

const noBytes = Buffer.alloc(0);

/** SHA-256, hex, of a record's value; of no bytes for a null value. */
export const valueSha256 = (value: Buffer | null): string => hash('sha256', value ?? noBytes, 'hex');

const isInOrder = (headers: readonly Header[]): boolean => {
  let previous = '';
  for (const [name] of headers) {
    if (name < previous) return false;
    previous = name;
  }
  return true;
};

/** By the UTF-16 units of the names, as RFC 8785 sorts; equal names stay in their order. */
const inOrder = (headers: readonly Header[]): readonly Header[] =>
  isInOrder(headers) ? headers : [...headers].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

const sizeOf = (bytes: Buffer | null): number => lengthBytes + (bytes?.length ?? 0);

const sizeOfRecord = (record: KafkaRecord): number => {
  let size = sizeOf(record.key) + lengthBytes + sizeOf(record.value);
  for (const [name, value] of record.headers) size += lengthBytes + Buffer.byteLength(name) + sizeOf(value);
  return size;
};

const putCount = (into: Buffer, at: number, count: number): number => {
  into.writeUInt32BE(0, at);
  return into.writeUInt32BE(count, at + 4);
};

const putBytes = (into: Buffer, at: number, bytes: Buffer | null): number => {
  if (bytes === null) return into.writeBigUInt64BE(none, at);
  const from = putCount(into, at, bytes.length);
  return from + bytes.copy(into, from);
};

const putText = (into: Buffer, at: number, text: string): number => {
  const written = into.write(text, at + lengthBytes);
  return putCount(into, at, written) + written;
};

/**
 * SHA-256, hex, of everything that a producer put into a record: key, number of headers, name and value of each header
 * (sorted by name, equal names in their order), value. Each text is preceded by its length, and lengths and the count
 * are 8 bytes big-endian, all ones for null; so no two records share their input.
 */
export const recordSha256 = (record: KafkaRecord): string => {
  const size = sizeOfRecord(record);
  const into = size <= scratch.length ? scratch : Buffer.allocUnsafe(size);
  let at = putBytes(into, 0, record.key);
  at = putCount(into, at, record.headers.length);
  for (const [name, value] of inOrder(record.headers)) at = putBytes(into, putText(into, at, name), value);
  at = putBytes(into, at, record.value);
  return hash('sha256', into.subarray(0, at), 'hex');
};
