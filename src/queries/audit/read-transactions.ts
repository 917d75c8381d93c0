import { PipelineError, type ErrorCode } from '../../errors.ts';
import type { Tx } from '../../sinks/immudb/answers.ts';
import type { EntriesWanted, LedgerClient } from '../../sinks/immudb/client.ts';

/** A transaction as far as immudb could read it. Nothing of it is proven yet. */
export type ReadTx = {
  readonly id: bigint;
  /** Null: not even its header could be read, or there is none of this id. */
  readonly tx: Tx | null;
  /** Whether `tx` has the values, too. */
  readonly isWhole: boolean;
  /** Why it is not whole, in immudb's words. */
  readonly why: string | null;
};

export type ReadOptions = {
  readonly from: bigint;
  readonly to: bigint;
  /** Runs a read again after an outage; passes on what waiting does not mend. */
  readonly patiently: <T>(doing: string, read: () => Promise<T>) => Promise<T>;
  /** Told once, when the index of immudb did not answer in time; from then on it is not asked. */
  readonly onStall: (error: PipelineError) => void;
};

/** Bytes of one page that are aimed at; a single transaction may have 32 MB, and pages of more are halved. */
const pageBytes = 1024 * 1024;
const largestPage = 512;
/** Pages under way while one is looked at. */
const pagesAhead = 2;
const singlesAtOnce = 4;

type Page = { readonly from: bigint; readonly txs: Promise<readonly ReadTx[]> };

/**
 * All transactions from `from` to `to` in order, a few pages ahead of the reader. Pages come by TxScan, which waits for
 * immudb's index; when that does not answer within the deadline, or a page holds a transaction that immudb cannot read,
 * they come by TxById, which needs no index: whole, else without values, else the header alone.
 */
export async function* readTransactions(client: LedgerClient, options: ReadOptions): AsyncGenerator<ReadTx> {
  const { to } = options;
  const reader = pageReader(client, options);
  let size = 8;
  let next = options.from;
  const ahead: Page[] = [];
  const fetch = () => {
    const left = to - next + 1n;
    const count = left < BigInt(size) ? Number(left) : size;
    const txs = reader.read(next, count);
    txs.catch(() => undefined); // met where the page's turn comes
    ahead.push({ from: next, txs });
    next += BigInt(count);
  };
  for (;;) {
    while (ahead.length <= pagesAhead && next <= to) fetch();
    const page = ahead.shift();
    if (page === undefined) return;
    const txs = await page.txs;
    size = sizeOfNext(txs, size);
    while (ahead.length <= pagesAhead && next <= to) fetch();
    yield* txs;
  }
}

/** At most doubled at once: one page of small transactions says little of the next. */
const sizeOfNext = (txs: readonly ReadTx[], size: number): number => {
  const bytes = txs.reduce((sum, { tx }) => sum + bytesOf(tx), 0);
  const fitting = Math.floor((pageBytes * Math.max(1, txs.length)) / Math.max(1, bytes));
  return Math.max(1, Math.min(fitting, 2 * size, largestPage));
};

const bytesOf = (tx: Tx | null): number =>
  tx === null
    ? 0
    : tx.entries.reduce((sum, { storedKey, storedValue }) => sum + storedKey.length + storedValue.length, 200);

const pageReader = (client: LedgerClient, { patiently, onStall }: ReadOptions) => {
  let isStalled = false;

  /** Null: this page is to be read one by one. */
  const scan = async (from: bigint, count: number): Promise<readonly Tx[] | null> => {
    if (isStalled) return null;
    const doing = `reading transactions ${from.toString()} to ${(from + BigInt(count) - 1n).toString()}`;
    try {
      // A time-out is no outage here: the index may be stuck for good while all else answers.
      return await patiently(doing, () => client.txScan(from, count, 'raw').catch(stallOf));
    } catch (error) {
      if (error instanceof Stalled) await probe(from, error);
      else if (!isUnreadable(error)) throw error;
      return null;
    }
  };

  /** A large page may be late for load alone; one header is late only if the index does not answer. */
  const probe = async (from: bigint, stalled: Stalled): Promise<void> => {
    try {
      await client.txScan(from, 1, 'none');
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== 'LEDGER_TIMEOUT') return;
      if (!isStalled) onStall(stalled.timeout);
      isStalled = true;
    }
  };

  const single = async (id: bigint): Promise<ReadTx> => {
    let why: string | null = null;
    for (const wanted of ['raw', 'digests', 'none'] as const) {
      const read = await singleAs(id, wanted);
      if (typeof read !== 'string')
        return { id, tx: read, isWhole: read !== null && wanted === 'raw', why: why ?? missingOf(read) };
      why ??= read;
    }
    return { id, tx: null, isWhole: false, why };
  };

  const singleAs = async (id: bigint, wanted: EntriesWanted): Promise<Tx | null | string> => {
    try {
      return await patiently(`reading transaction ${id.toString()}`, () => client.txById(id, wanted));
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return error.message;
    }
  };

  return {
    read: async (from: bigint, count: number): Promise<readonly ReadTx[]> => {
      const scanned = await scan(from, count);
      const read = (scanned ?? []).map((tx): ReadTx => ({ id: tx.header.id, tx, isWhole: true, why: null }));
      const last = read.reduce((max, { id }) => (id > max ? id : max), from - 1n);
      const end = from + BigInt(count);
      for (let at = last + 1n; at < end;) {
        const ids = Array.from({ length: Math.min(singlesAtOnce, Number(end - at)) }, (_, i) => at + BigInt(i));
        read.push(...(await Promise.all(ids.map(single))));
        at += BigInt(ids.length);
      }
      return read;
    },
  };
};

const missingOf = (tx: Tx | null): string | null => (tx === null ? 'immudb has no transaction of this id' : null);

/** Not to be retried: the index is asked no more. */
class Stalled extends Error {
  readonly timeout: PipelineError;
  constructor(timeout: PipelineError) {
    super(timeout.message);
    this.timeout = timeout;
  }
}

const stallOf = (error: unknown): never => {
  throw error instanceof PipelineError && error.code === 'LEDGER_TIMEOUT' ? new Stalled(error) : error;
};

/** What immudb says of one transaction that it cannot make sense of on its disk. */
const unreadable: ReadonlySet<ErrorCode> = new Set([
  'LEDGER_CORRUPTED',
  'LEDGER_UNKNOWN_ERROR',
  'LEDGER_ANSWER_INVALID',
]);
const isUnreadable = (error: unknown): error is PipelineError =>
  error instanceof PipelineError && unreadable.has(error.code);
