import type { TxHeader } from '../../proofs/header.ts';
import * as answers from './answers.ts';
import type { LedgerEntry, LedgerState, Tx, VerifiableEntry, VerifiableTx } from './answers.ts';
import { LedgerError } from './errors.ts';
import { readPages } from './paging.ts';
import { setRequest } from './proto/messages.ts';
import { methods } from './proto/methods.ts';
import { openSession, type CallOptions, type LedgerOptions, type Session } from './session.ts';

/** What of a transaction's entries to bring: nothing, keys and hashes, or also the values as stored. */
export type EntriesWanted = 'none' | 'digests' | 'raw';

export type ScanOptions = {
  readonly prefix: Uint8Array;
  /** Begins after this key (before it with `desc`), or with it if `inclusiveSeek`. */
  readonly seekKey?: Uint8Array;
  readonly inclusiveSeek?: boolean;
  /** Ends before this key (after it with `desc`), or with it if `inclusiveEnd`. */
  readonly endKey?: Uint8Array;
  readonly inclusiveEnd?: boolean;
  /** Entries at most, at least 1; all of them are held in memory. */
  readonly limit: number;
  readonly desc?: boolean;
};

export type HistoryOptions = { readonly limit: number; readonly offset?: bigint; readonly desc?: boolean };

export type ServerInfo = { readonly version: string; readonly startedAt: bigint; readonly numDatabases: number };

/**
 * A ledger on an immudb server. Every call has a deadline, is sent once, and rejects with LedgerError, whose `outcome`
 * tells what became of a write. Nothing that a call answers is verified here: that is for src/proofs. Buffers in an
 * answer are views of the whole answer: copy what is kept for long.
 *
 * get, getAll, scan and history see everything committed before they were sent, whoever wrote it, and wait for
 * immudb's index to have it; txScan waits for the index, too. The others do without the index.
 */
export type LedgerClient = Pick<Session, 'state' | 'reopen' | 'close'> & {
  /**
   * Writes the entries of a serialised SetRequest as one transaction. Resolves when it is durable. The buffer must not
   * change until then.
   */
  set(request: Buffer, options?: CallOptions): Promise<TxHeader>;
  /** Null: no such key, or it was deleted or expired. With `atTx`: as that transaction wrote it. */
  get(key: Uint8Array, options?: CallOptions & { readonly atTx?: bigint }): Promise<LedgerEntry | null>;
  /** Keys that are missing, deleted or expired are left out; otherwise in the order asked for. */
  getAll(keys: readonly Uint8Array[], options?: CallOptions): Promise<LedgerEntry[]>;
  scan(scan: ScanOptions, options?: CallOptions): Promise<LedgerEntry[]>;
  /** Revisions of a key, also of a deleted one, oldest first unless `desc`. No such key: none. */
  history(key: Uint8Array, history: HistoryOptions, options?: CallOptions): Promise<LedgerEntry[]>;
  /** Null: no such transaction. */
  txById(id: bigint, entries: EntriesWanted, options?: CallOptions): Promise<Tx | null>;
  /** Up to `limit` transactions from `from` on, by id; fewer at the end of the ledger. */
  txScan(from: bigint, limit: number, entries: EntriesWanted, options?: CallOptions): Promise<Tx[]>;
  /** Null: no such transaction. LEDGER_ROLLED_BACK: the ledger has not come to `proveSinceTx`. */
  verifiableTxById(
    id: bigint,
    proveSinceTx: bigint,
    entries: EntriesWanted,
    options?: CallOptions,
  ): Promise<VerifiableTx | null>;
  /** As `get`, with the digests of its whole transaction. */
  verifiableGet(key: Uint8Array, proveSinceTx: bigint, options?: CallOptions): Promise<VerifiableEntry | null>;
  currentState(options?: CallOptions): Promise<LedgerState>;
  /** True says little: a server whose index is stuck is healthy, too. */
  health(options?: CallOptions): Promise<boolean>;
  serverInfo(options?: CallOptions): Promise<ServerInfo>;
};

export type KeyValue = { readonly key: Uint8Array; readonly value: Uint8Array };

/** A condition on the ledger as it was before the write, for one key. */
export type Precondition = { readonly key: Uint8Array } & (
  | { readonly kind: 'must-exist' | 'must-not-exist' }
  /** Also refuses what `must-not-exist` lets through: keys that were deleted or expired after that transaction. */
  | { readonly kind: 'not-modified-after'; readonly tx: bigint }
);

export type SetRequest = {
  readonly entries: readonly KeyValue[];
  readonly preconditions?: readonly Precondition[];
  /** Resolves without waiting for the index. Default true. */
  readonly noWait?: boolean;
};

export const encodeSetRequest = ({ entries, preconditions = [], noWait = true }: SetRequest): Buffer =>
  setRequest.encode({ entries, noWait, preconditions: preconditions.map(preconditionOnWire) });

const preconditionOnWire = (condition: Precondition) => {
  const { key } = condition;
  switch (condition.kind) {
    case 'must-exist':
      return { keyMustExist: { key } };
    case 'must-not-exist':
      return { keyMustNotExist: { key } };
    case 'not-modified-after':
      return { keyNotModifiedAfterTx: { key, txId: condition.tx } };
  }
};

/** Resolves when a session is open; rejects when it cannot be opened, with nothing left open. */
export const openLedgerClient = async (options: LedgerOptions): Promise<LedgerClient> =>
  clientOver(await openSession(options));

/** immudb's own bound of Scan, History and TxScan. */
const largestPage = 2500;
/** Sixteen times the events of a large transaction; values of some 8 KB still come in one answer. */
const keysPerCall = 4096;

const clientOver = (session: Session): LedgerClient => ({
  state: session.state,
  reopen: session.reopen,
  close: session.close,

  set: async (request, options) =>
    answers.headerOf(await session.call(methods.set, request, { ...options, lane: 'write' })),

  get: async (key, { atTx = 0n, ...options } = {}) => {
    const entry = await orNull(session.call(methods.get, { key, atTx }, options));
    return entry === null ? null : answers.entryOf(entry);
  },

  getAll: (keys, options) =>
    readPages(keys.length, keysPerCall, async (at, count) => {
      const { entries } = await session.call(methods.getAll, { keys: keys.slice(at, at + count) }, options);
      return { items: entries.map(answers.entryOf), more: true };
    }),

  scan: async ({ limit, ...range }, options) => {
    let begin: Pick<ScanOptions, 'seekKey' | 'inclusiveSeek'> = {};
    return readPages(limit, largestPage, async (_, count) => {
      const request = { ...range, ...begin, limit: BigInt(count) };
      const { entries } = await session.call(methods.scan, request, options);
      const last = entries.at(-1);
      if (last !== undefined) begin = { seekKey: last.key, inclusiveSeek: false };
      return { items: entries.map(answers.entryOf), more: entries.length === count };
    });
  },

  history: (key, { limit, offset = 0n, desc = false }, options) =>
    readPages(limit, largestPage, async (at, count) => {
      const request = { key, offset: offset + BigInt(at), limit: count, desc };
      const entries = (await orNull(session.call(methods.history, request, options)))?.entries ?? [];
      return { items: entries.map(answers.entryOf), more: entries.length === count };
    }),

  txById: async (id, entries, options) => {
    const request = { tx: id, entriesSpec: specOf(entries), keepReferencesUnresolved: true };
    const tx = await orNull(session.call(methods.txById, request, options));
    return tx === null ? null : answers.txOf(tx);
  },

  txScan: (from, limit, entries, options) =>
    readPages(limit, largestPage, async (at, count) => {
      const request = { initialTx: from + BigInt(at), limit: count, entriesSpec: specOf(entries) };
      const { txs } = await session.call(methods.txScan, request, options);
      return { items: txs.map(answers.txOf), more: txs.length === count };
    }),

  verifiableTxById: async (id, proveSinceTx, entries, options) => {
    const request = { tx: id, proveSinceTx, entriesSpec: specOf(entries), keepReferencesUnresolved: true };
    const answer = await orNull(session.call(methods.verifiableTxById, request, options));
    return answer === null ? null : answers.verifiableTxOf(answer);
  },

  verifiableGet: async (key, proveSinceTx, options) => {
    const answer = await orNull(session.call(methods.verifiableGet, { keyRequest: { key }, proveSinceTx }, options));
    return answer === null ? null : answers.verifiableEntryOf(answer);
  },

  currentState: async (options) => answers.stateOf(await session.call(methods.currentState, {}, options)),
  health: async (options) => (await session.call(methods.health, {}, options)).status,
  serverInfo: (options) => session.call(methods.serverInfo, {}, options),
});

/** For sorted sets and SQL the digests are enough, if somebody wrote such: without them no root could be rebuilt. */
const specOf = (wanted: EntriesWanted) => {
  const [kv, others] = { none: [0, 0], digests: [1, 1], raw: [2, 1] }[wanted];
  return { kv: { action: kv }, sortedSets: { action: others }, sql: { action: others } };
};

const orNull = <T>(answer: Promise<T>): Promise<T | null> =>
  answer.catch((error: unknown) => {
    if (error instanceof LedgerError && error.code === 'LEDGER_NOT_FOUND') return null;
    throw error;
  });
