import { hash } from 'node:crypto';

const digestBytes = 32;
/** immudb's default and this format's limit: entries, and as many preconditions, per transaction. */
export const maxTxEntries = 1024;
/** Reserve for the marks and their preconditions, which are added when the transaction is sealed. */
const initialBytes = 2 * 1024 * 1024;
const maxPooled = 3;

/**
 * One SetRequest, written straight into its protobuf form while the leaves of its entry tree are hashed: each byte of an
 * event is copied once. Field numbers and what is hashed are facts of immudb's protocol (docs/ledger-format.md).
 */
export type Transaction = {
  entries(): number;
  bytes(): number;
  /** Appends an entry with precondition keyNotModifiedAfterTX(key, tx): tx 1 means that it was never written. */
  add(key: string, value: Buffer, notModifiedAfter: bigint): void;
  /** As `add` with tx 1, for a value that `write` puts in place: exactly `length` bytes from `at` on. */
  addWritten(key: string, length: number, write: (target: Buffer, at: number) => void): void;
  /** Back to this number of entries, to seal anew. */
  mark(): Mark;
  rewind(mark: Mark): void;
  /** Asks for the answer as soon as it is durable, not only when immudb's index has it. */
  withoutWaiting(): void;
  /** A view that holds until `release`. */
  request(): Buffer;
  /** The leaf hashes of its entries, copied. */
  leaves(): Uint8Array;
  /** Its memory may be used again. Never call it while a request may still be on its way. */
  release(): void;
};

type Mark = { readonly entries: number; readonly bytes: number };

const pool: { body: Buffer; leaves: Buffer }[] = [];
const never = 1n;

export const transaction = (): Transaction => {
  let { body, leaves } = pool.pop() ?? {
    body: Buffer.allocUnsafeSlow(initialBytes),
    leaves: Buffer.allocUnsafeSlow(maxTxEntries * digestBytes),
  };
  let used = 0;
  let count = 0;

  const reserve = (length: number) => {
    if (used + length <= body.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(body.length * 2, used + length));
    body.copy(grown, 0, 0, used);
    body = grown;
  };
  const varint = (value: number) => {
    let rest = value;
    while (rest > 0x7f) {
      body[used++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    body[used++] = rest;
  };
  const field = (tag: number, length: number) => {
    body[used++] = tag;
    varint(length);
  };

  /** KVs: field 1 of SetRequest; KeyValue is key 1, value 2. Leaves `used` behind the value. */
  const addEntry = (key: string, length: number, write: (target: Buffer, at: number) => void) => {
    if (count === maxTxEntries) throw new RangeError(`more than ${maxTxEntries} entries`);
    const inner = 2 + varintLength(key.length) + key.length + varintLength(length) + length;
    reserve(inner + 2 * key.length + 64);
    field(0x0a, inner);
    field(0x0a, key.length);
    const keyAt = used;
    used += body.write(key, used, 'latin1');
    field(0x12, length);
    const valueAt = used;
    write(body, valueAt);
    used += length;
    hashLeaf(body, keyAt, key.length, valueAt, length, leaves, count * digestBytes);
    count += 1;
  };

  /** preconditions: field 3 of SetRequest; keyNotModifiedAfterTX is 3 in it, with key 1 and txID 2. */
  const addPrecondition = (key: string, tx: bigint) => {
    const inner = 1 + varintLength(key.length) + key.length + 1 + bigVarintLength(tx);
    reserve(inner + 24);
    field(0x1a, 1 + varintLength(inner) + inner);
    field(0x1a, inner);
    field(0x0a, key.length);
    used += body.write(key, used, 'latin1');
    body[used++] = 0x10;
    for (let rest = tx; ; rest >>= 7n) {
      const low = Number(rest & 0x7fn);
      body[used++] = rest > 0x7fn ? low | 0x80 : low;
      if (rest <= 0x7fn) break;
    }
  };

  return {
    entries: () => count,
    bytes: () => used,
    add: (key, value, notModifiedAfter) => {
      addEntry(key, value.length, (target, at) => value.copy(target, at));
      addPrecondition(key, notModifiedAfter);
    },
    addWritten: (key, length, write) => {
      addEntry(key, length, write);
      addPrecondition(key, never);
    },
    mark: () => ({ entries: count, bytes: used }),
    rewind: (mark) => {
      count = mark.entries;
      used = mark.bytes;
    },
    withoutWaiting: () => {
      reserve(2);
      body[used++] = 0x10;
      body[used++] = 1;
    },
    request: () => body.subarray(0, used),
    // A copy: roots are computed in place, and a transaction may be sealed and sent again.
    leaves: () => Uint8Array.from(leaves.subarray(0, count * digestBytes)),
    release: () => {
      if (pool.length < maxPooled && body.length <= 4 * initialBytes) pool.push({ body, leaves });
      body = Buffer.alloc(0);
      leaves = Buffer.alloc(0);
    },
  };
};

const varintLength = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4);

const bigVarintLength = (value: bigint): number => {
  let length = 1;
  for (let rest = value; rest > 0x7fn; rest >>= 7n) length += 1;
  return length;
};

// Digest of an entry without metadata: 2 bytes 0, 2 bytes length of the stored key, 0, key, hash of (0, value).
const digestInput = Buffer.alloc(5 + 1024 + digestBytes);
const leafInput = Buffer.alloc(1 + digestBytes);

const hashLeaf = (
  body: Buffer,
  keyAt: number,
  keyLength: number,
  valueAt: number,
  length: number,
  leaves: Buffer,
  leafAt: number,
) => {
  // The value is hashed with a zero byte before it: the last byte of its length is lent for that, so nothing is copied.
  const lent = body[valueAt - 1] ?? 0;
  body[valueAt - 1] = 0;
  const hValue = hash('sha256', body.subarray(valueAt - 1, valueAt + length), 'binary');
  body[valueAt - 1] = lent;
  digestInput.writeUInt16BE(keyLength + 1, 2);
  body.copy(digestInput, 5, keyAt, keyAt + keyLength);
  // As latin1 text a digest costs a quarter of what a Buffer of it does.
  digestInput.write(hValue, 5 + keyLength, 'latin1');
  leafInput.write(hash('sha256', digestInput.subarray(0, 5 + keyLength + digestBytes), 'binary'), 1, 'latin1');
  leaves.write(hash('sha256', leafInput, 'binary'), leafAt, 'latin1');
};
