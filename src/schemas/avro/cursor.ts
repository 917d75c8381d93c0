/**
 * Where a strict reading of Avro bytes stands, and its parts that hold bounds. Time and memory grow no faster than the
 * bytes.
 */
export type Cursor = {
  bytes: Buffer;
  at: number;
  level: number;
  /** How deep records, maps and lists nested so far. */
  depth: number;
  /** Items and fields left that may be read: in proportion to the bytes, also of those that take none. */
  left: number;
  checksText: boolean;
};

export const newCursor = (): Cursor => ({ bytes: none, at: 0, level: 0, depth: 0, left: 0, checksText: false });

export const startAt = (cursor: Cursor, bytes: Buffer, from: number): void => {
  cursor.bytes = bytes;
  cursor.at = from;
  cursor.level = 0;
  cursor.depth = 0;
  cursor.left = 2 * bytes.length + spare;
};

/** It keeps no record's bytes alive. */
export const letGo = (cursor: Cursor): void => {
  cursor.bytes = none;
};

const none = Buffer.alloc(0);

/** Deeper values are refused by far lower limits later on; this one keeps the stack small. */
const maxLevels = 64;

/** A small record may have many fields that are null. */
const spare = 1_000;

/** What is wrong with the bytes. */
export class Fault extends Error {}
export const fail = (why: string): never => {
  throw new Fault(why);
};

export const advance = (cursor: Cursor, length: number): void => {
  if (length < 0) fail('a length is negative');
  cursor.at += length;
  if (cursor.at > cursor.bytes.length) fail('the bytes end too early');
};

/** A zig-zag varint. Beyond 2^53 the number is not exact, which no length and no index is. */
export const readLong = (cursor: Cursor): number => {
  const { bytes } = cursor;
  const first = bytes[cursor.at++];
  if (first === undefined) return fail('the bytes end too early');
  if (first < 0x80) return (first >> 1) ^ -(first & 1);
  let factor = 0x80;
  let sum = first & 0x7f;
  for (let count = 1; count < 10; count++) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) return fail('the bytes end too early');
    sum += (byte & 0x7f) * factor;
    if (byte < 0x80) return sum % 2 === 0 ? sum / 2 : -(sum + 1) / 2;
    factor *= 0x80;
  }
  return fail('a number has more than ten bytes');
};

export const enter = (cursor: Cursor): void => {
  cursor.level++;
  if (cursor.level > cursor.depth) cursor.depth = cursor.level;
  if (cursor.level > maxLevels) fail(`it nests more than ${maxLevels} deep`);
};

export const readCount = (cursor: Cursor): number => {
  const count = readLong(cursor);
  if (count >= 0) return spend(cursor, count);
  // A negative count is followed by the size of its block, which tells nothing that the items do not.
  if (readLong(cursor) < 0) fail('a length is negative');
  return spend(cursor, -count);
};

export const spend = (cursor: Cursor, count: number): number => {
  cursor.left -= count;
  if (!(cursor.left >= 0)) fail('it has far more items than bytes');
  return count;
};
