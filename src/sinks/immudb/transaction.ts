import { newPen, type Pen, putAgain, putAscii, putByte, putBytes, reserve } from './format/pen.ts';

/** immudb's default and this format's limit: entries, and as many preconditions, per transaction. */
export const maxTxEntries = 1024;
/** Reserve for the marks and their preconditions, which are added when the transaction is sealed. */
const initialBytes = 2 * 1024 * 1024;
const maxPooled = 3;

/**
 * One SetRequest, written straight into its protobuf form: each byte of an event is copied once. Its memory is shared, so
 * that another thread can hash it. Field numbers are facts of immudb's protocol (docs/ledger-format.md).
 */
export type Transaction = {
  entries(): number;
  bytes(): number;
  /** Appends an entry with precondition keyNotModifiedAfterTX(key, tx): tx 1 means that it was never written. */
  add(key: string, value: Buffer, notModifiedAfter: bigint): void;
  /**
   * As `add`, but written in place: its key with the pen that is given, `value`, its value with the same pen, `close`, and
   * nothing in between. `expected` is about the length of the value: one that is far from it is moved when it is closed.
   */
  open(expected: number): Pen;
  value(): void;
  close(notModifiedAfter: bigint): void;
  /** Back to this number of entries, to seal anew. */
  mark(): Mark;
  rewind(mark: Mark): void;
  /** Asks for the answer as soon as it is durable, not only when immudb's index has it. */
  withoutWaiting(): void;
  /** A view that holds until `release`. */
  request(): Buffer;
  /** Its memory may be used again. Never call it while a request may still be on its way. */
  release(): void;
};

type Mark = { readonly entries: number; readonly bytes: number };

const pool: Pen[] = [];

export const transaction = (): Transaction => {
  const pen = pool.pop() ?? newPen(initialBytes);
  pen.at = 0;
  let count = 0;
  // Of the entry that is open: where its content, its key and its value begin, behind lengths of so many bytes.
  let entryAt = 0;
  let keyAt = 0;
  let keyLength = 0;
  let valueAt = 0;
  let width = 1;

  /** KVs: field 1 of SetRequest; KeyValue is key 1, value 2. */
  const open = (expected: number): Pen => {
    if (count === maxTxEntries) throw new RangeError(`more than ${maxTxEntries} entries`);
    width = varintLength(expected);
    entryAt = begin(pen, 0x0a, width);
    keyAt = begin(pen, 0x0a, 1);
    return pen;
  };
  const value = () => {
    keyLength = pen.at - keyAt;
    keyAt += end(pen, keyAt, 1);
    valueAt = begin(pen, 0x12, width);
  };
  const close = (notModifiedAfter: bigint) => {
    end(pen, valueAt, width);
    keyAt += end(pen, entryAt, width);
    count += 1;
    putPrecondition(pen, keyAt, keyLength, notModifiedAfter);
  };

  return {
    entries: () => count,
    bytes: () => pen.at,
    add: (key, content, notModifiedAfter) => {
      open(content.length);
      putAscii(pen, key);
      value();
      putBytes(pen, content);
      close(notModifiedAfter);
    },
    open,
    value,
    close,
    mark: () => ({ entries: count, bytes: pen.at }),
    rewind: (mark) => {
      count = mark.entries;
      pen.at = mark.bytes;
    },
    withoutWaiting: () => {
      putByte(pen, 0x10);
      putByte(pen, 1);
    },
    request: () => pen.bytes.subarray(0, pen.at),
    release: () => {
      if (pool.length < maxPooled && pen.bytes.length <= 4 * initialBytes) pool.push({ ...pen });
      pen.bytes = Buffer.alloc(0);
    },
  };
};

/** Begins a field whose length will take about `width` bytes; returns where its content begins. */
const begin = (pen: Pen, tag: number, width: number): number => {
  putByte(pen, tag);
  reserve(pen, width);
  pen.at += width;
  return pen.at;
};

/** States the length of the field's content, which is moved if that takes more or less than `width` bytes; returns how far. */
const end = (pen: Pen, from: number, width: number): number => {
  const length = pen.at - from;
  const moved = varintLength(length) - width;
  if (moved !== 0) {
    reserve(pen, moved);
    pen.bytes.copyWithin(from + moved, from, pen.at);
  }
  pen.at = from - width;
  putVarint(pen, length);
  pen.at += length;
  return moved;
};

/** preconditions: field 3 of SetRequest; keyNotModifiedAfterTX is 3 in it, with key 1 and txID 2. */
const putPrecondition = (pen: Pen, keyAt: number, keyLength: number, tx: bigint) => {
  const inner = 1 + varintLength(keyLength) + keyLength + 1 + bigVarintLength(tx);
  putField(pen, 0x1a, 1 + varintLength(inner) + inner);
  putField(pen, 0x1a, inner);
  putField(pen, 0x0a, keyLength);
  putAgain(pen, keyAt, keyAt + keyLength);
  putByte(pen, 0x10);
  let rest = tx;
  for (; rest > 0x7fn; rest >>= 7n) putByte(pen, Number(rest & 0x7fn) | 0x80);
  putByte(pen, Number(rest));
};

const putField = (pen: Pen, tag: number, length: number) => {
  putByte(pen, tag);
  putVarint(pen, length);
};

const putVarint = (pen: Pen, value: number) => {
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) putByte(pen, (rest & 0x7f) | 0x80);
  putByte(pen, rest);
};

const varintLength = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4);

const bigVarintLength = (value: bigint): number => {
  let length = 1;
  for (let rest = value; rest > 0x7fn; rest >>= 7n) length += 1;
  return length;
};
