import { digestOfEntry, rootOfDigests } from '../proofs/entry.ts';
import { equalBytes } from '../proofs/bytes.ts';
import { emptyChain, followHeader, type ChainState } from '../proofs/chain.ts';
import type { Tx } from '../sinks/immudb/answers.ts';
import type { LedgerClient } from '../sinks/immudb/client.ts';
import { decodeEventValue } from '../sinks/immudb/format/event-value.ts';
import { decodeMark, type Mark } from '../sinks/immudb/format/mark-value.ts';
import { parseKey } from '../sinks/immudb/format/parse-key.ts';
import { sha256 } from '../sinks/immudb/sha256.ts';

/** What became of the offsets of one partition of one log, added up over all transactions. */
export type PartitionAccount = {
  readonly log: number;
  readonly partition: number;
  first: bigint;
  next: bigint;
  stored: bigint;
  duplicates: bigint;
  dead: bigint;
  gaps: bigint;
};

export type Account = {
  readonly transactions: bigint;
  readonly partitions: readonly PartitionAccount[];
  readonly deadByCode: ReadonlyMap<string, number>;
  /** Each deviation, named with its transaction. None: every covered offset is accounted for exactly once. */
  readonly deviations: readonly string[];
};

export type AccountOptions = {
  /** Told of each event as it is met, with its transaction. */
  readonly onEvent?: (eventId: string, tx: bigint) => void;
  readonly onDuplicate?: (eventId: string, tx: bigint) => void;
  readonly onProgress?: (tx: bigint) => void;
};

/** Transactions asked for at once: a raw transaction may have some megabytes. */
const pageSize = 8;
const maxDeviations = 1000;

/**
 * Reads the ledger transaction by transaction, from the genesis, and adds up what it says of every offset: each must be
 * an event, a duplicate, a dead letter or a gap of the transaction that covers it, exactly once, and every transaction
 * must follow the one before. Trusts no index. Memory does not grow with the ledger.
 */
export const accountFor = async (client: LedgerClient, options: AccountOptions = {}): Promise<Account> => {
  const book = accountBook(options);
  let from = 1n;
  for (;;) {
    const txs = await client.txScan(from, pageSize, 'raw');
    for (const tx of txs) book.add(tx);
    from += BigInt(txs.length);
    options.onProgress?.(from - 1n);
    if (txs.length < pageSize) return book.close();
  }
};

const accountBook = (options: AccountOptions) => {
  const partitions = new Map<string, PartitionAccount & { tx: bigint }>();
  const deadByCode = new Map<string, number>();
  const deviations: string[] = [];
  let chain: ChainState = emptyChain(sha256);

  const deviate = (tx: bigint, what: string) => {
    if (deviations.length < maxDeviations) deviations.push(`transaction ${tx.toString()}: ${what}`);
  };

  const checkChain = ({ header, entries }: Tx) => {
    try {
      chain = followHeader(chain, header, sha256);
    } catch (error) {
      deviate(header.id, String(error));
    }
    const digests = entries.map((entry) => {
      const key = entry.storedKey.subarray(1);
      const value = entry.storedValue.subarray(1);
      return digestOfEntry({ key, value, metadata: entry.metadata }, sha256);
    });
    const isWhole = entries.length === header.nentries && equalBytes(rootOfDigests(digests, sha256), header.eH);
    if (!isWhole) deviate(header.id, 'its entries do not make the root of its header');
  };

  const add = (tx: Tx) => {
    checkChain(tx);
    const { id } = tx.header;
    const offsets = new Map<string, bigint[]>();
    const marks = new Map<string, Mark>();
    const dead = new Set<string>();
    for (const { storedKey, storedValue } of tx.entries) {
      const key = Buffer.from(storedKey.subarray(1)).toString('latin1');
      const value = storedValue.subarray(1);
      const parsed = parseKey(key);
      if (parsed.kind === 'unknown') deviate(id, `key ${key} is not of this format`);
      else if (parsed.kind === 'event') {
        const { source } = decodeEventValue(key, value);
        const lane = `${source.log}/${source.partition}`;
        offsets.set(lane, [...(offsets.get(lane) ?? []), source.offset]);
        options.onEvent?.(parsed.eventId, id);
      } else if (parsed.kind === 'mark') marks.set(`${parsed.log}/${parsed.partition}`, decodeMark(key, value));
      else if (parsed.kind === 'dead') dead.add(`${parsed.log}/${parsed.partition}/${parsed.offset.toString()}`);
    }
    for (const lane of offsets.keys()) if (!marks.has(lane)) deviate(id, `events of ${lane} without a mark`);
    for (const [lane, mark] of marks) settle(id, lane, mark, offsets.get(lane) ?? [], dead);
  };

  const settle = (tx: bigint, lane: string, mark: Mark, stored: readonly bigint[], dead: ReadonlySet<string>) => {
    const known = partitions.get(lane);
    const [log = 0, partition = 0] = lane.split('/').map(Number);
    const account = known ?? {
      ...{ log, partition, first: mark.first, next: mark.first, tx: 0n },
      ...{ stored: 0n, duplicates: 0n, dead: 0n, gaps: 0n },
    };
    partitions.set(lane, account);
    const at = `mark ${lane}`;
    if (mark.first !== account.next)
      deviate(tx, `${at} begins at ${mark.first.toString()}, not ${account.next.toString()}`);
    if ((mark.prev?.tx ?? 0n) !== account.tx) deviate(tx, `${at} names another mark before it`);
    if (mark.stored !== stored.length) deviate(tx, `${at} states ${mark.stored} stored, there are ${stored.length}`);
    const ranges = [
      ...[...stored, ...mark.duplicates.map((one) => one.offset), ...mark.dead.map((one) => one.offset)].map(
        (offset) => ({
          from: offset,
          to: offset + 1n,
        }),
      ),
      ...mark.gaps,
    ].sort((a, b) => (a.from < b.from ? -1 : 1));
    let next = mark.first;
    for (const range of ranges) {
      if (range.from !== next) deviate(tx, `${at}: offset ${next.toString()} is not accounted for exactly once`);
      next = range.to;
    }
    if (next !== mark.next) deviate(tx, `${at} ends at ${mark.next.toString()}, its records at ${next.toString()}`);
    for (const { offset, code } of mark.dead) {
      deadByCode.set(code, (deadByCode.get(code) ?? 0) + 1);
      if (!dead.has(`${lane}/${offset.toString()}`))
        deviate(tx, `${at}: dead offset ${offset.toString()} has no dead letter`);
    }
    for (const { eventId } of mark.duplicates) options.onDuplicate?.(eventId, tx);
    account.next = mark.next;
    account.tx = tx;
    account.stored += BigInt(stored.length);
    account.duplicates += BigInt(mark.duplicates.length);
    account.dead += BigInt(mark.dead.length);
    account.gaps += mark.gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0n);
  };

  return {
    add,
    close: (): Account => ({
      transactions: chain.id,
      partitions: [...partitions.values()].sort((a, b) => a.log - b.log || a.partition - b.partition),
      deadByCode,
      deviations,
    }),
  };
};
