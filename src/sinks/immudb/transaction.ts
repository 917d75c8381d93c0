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
  /** As `add` with tx 1, for a value that `write` puts in place: exactly `length` bytes from `at` on. */
  addWritten(key: string, length: number, write: (target: Buffer, at: number) => void): void;
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

const pool: Buffer[] = [];
const sharedBytes = (length: number): Buffer => Buffer.from(new SharedArrayBuffer(length));
const never = 1n;

export const transaction = (): Transaction => {
  let body = pool.pop() ?? sharedBytes(initialBytes);
  let used = 0;
  let count = 0;

  const reserve = (length: number) => {
    if (used + length <= body.length) return;
    const grown = sharedBytes(Math.max(body.length * 2, used + length));
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
    used += body.write(key, used, 'latin1');
    field(0x12, length);
    write(body, used);
    used += length;
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
    release: () => {
      if (pool.length < maxPooled && body.length <= 4 * initialBytes) pool.push(body);
      body = Buffer.alloc(0);
    },
  };
};

const varintLength = (value: number): number => (value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : 4);

const bigVarintLength = (value: bigint): number => {
  let length = 1;
  for (let rest = value; rest > 0x7fn; rest >>= 7n) length += 1;
  return length;
};
