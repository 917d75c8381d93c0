import { hash } from 'node:crypto';
import type { Header, KafkaRecord } from '../../../schemas/record.ts';

/**
 * `record_sha256`: SHA-256 (hex) over key, number of headers, name and value of each header, value, in this order. Each
 * is preceded by its length in bytes, and the number of headers stands alone, as 8 bytes big-endian; the length of a null is all
 * ones. Headers go by the UTF-8 bytes of their names, equal names as they were sent: clients group them.
 */
export const recordSha256 = (record: Pick<KafkaRecord, 'key' | 'headers' | 'value'>): string => {
  const headers = inOrder(record.headers);
  const target = Buffer.allocUnsafe(digestLength(record.key, headers, record.value));
  let at = writeBytes(target, 0, record.key);
  at = writeNumber(target, at, headers.length);
  for (const [name, value] of headers) {
    const length = target.write(name, at + 8, 'utf8');
    at = writeNumber(target, at, length) + length;
    at = writeBytes(target, at, value);
  }
  writeBytes(target, at, record.value);
  return hash('sha256', target);
};

const inOrder = (headers: readonly Header[]): readonly Header[] =>
  headers.length < 2 ? headers : headers.toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

const digestLength = (key: Buffer | null, headers: readonly Header[], value: Buffer | null): number => {
  let length = 24 + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, bytes] of headers) length += 16 + Buffer.byteLength(name) + (bytes?.length ?? 0);
  return length;
};

const writeBytes = (target: Buffer, at: number, bytes: Buffer | null): number => {
  if (bytes === null) return (target.fill(0xff, at, at + 8), at + 8);
  const start = writeNumber(target, at, bytes.length);
  target.set(bytes, start);
  return start + bytes.length;
};

/** Lengths stay below 2^48 by far. */
const writeNumber = (target: Buffer, at: number, value: number): number =>
  target.writeUIntBE(value, target.writeUInt16BE(0, at), 6);
