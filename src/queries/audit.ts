import { setImmediate } from 'node:timers/promises';
import { equalBytes } from '../proofs/bytes.ts';
import { emptyChain, type ChainState } from '../proofs/chain.ts';
import { entryDigest, rootOfDigests } from '../proofs/entry.ts';
import type { TxHash } from '../proofs/linking.ts';
import type { Tx } from '../sinks/immudb/answers.ts';
import type { LedgerClient } from '../sinks/immudb/client.ts';
import { sha256 } from '../sinks/immudb/sha256.ts';
import { chainWalk } from './audit/chain-walk.ts';
import { contentsOf, hasItsRecordHash, type TxContents } from './audit/contents.ts';
import { coverage, type PartitionAccount, type Span } from './audit/coverage.ts';
import { deviationList, type Deviation, type DeviationKind, type Deviations } from './audit/deviations.ts';
import { kafkaSide, type KafkaSideTally, type LogReaders } from './audit/kafka-side.ts';
import { onceEver } from './audit/once-ever.ts';
import { checkPostings } from './audit/posting-check.ts';
import { readTransactions, type ReadTx } from './audit/read-transactions.ts';

/** How many hold, of how many that were met. */
export type Tally = { held: number; of: number };

export type AuditReport = {
  /** The last transaction that was looked at, and its accumulated hash: what the whole audit rests on. */
  readonly end: TxHash;
  readonly transactions: Tally;
  readonly events: Tally;
  readonly offsets: Tally;
  readonly postings: Tally;
  readonly kafka: KafkaSideTally;
  readonly partitions: readonly PartitionAccount[];
  readonly deadByCode: ReadonlyMap<string, number>;
  readonly deviations: {
    readonly total: number;
    readonly byKind: ReadonlyMap<DeviationKind, number>;
    /** The first ones. */
    readonly listed: readonly Deviation[];
  };
  /** Why immudb's index was not used: it did not answer. Null: it does. */
  readonly stalledIndex: string | null;
};

export type AuditProgress = {
  readonly tx: bigint;
  readonly to: bigint;
  readonly events: number;
  readonly deviations: number;
};

export type AuditOptions = {
  /** Hash of transaction 1, if it is pinned. */
  readonly genesis?: Uint8Array | null;
  /** A state that the ledger is known to have had; it must be on the way. */
  readonly trusted?: TxHash | null;
  readonly readers?: LogReaders;
  readonly patiently?: <T>(doing: string, read: () => Promise<T>) => Promise<T>;
  readonly maxListed?: number;
  /** Where files for ledgers of more than some 500,000 events go. Default: the system's temporary folder. */
  readonly folder?: string;
  readonly onEvent?: (eventId: string, tx: bigint) => void;
  readonly onDuplicate?: (eventId: string, tx: bigint) => void;
  readonly onProgress?: (progress: AuditProgress) => void;
};

const defaultMaxListed = 1000;

/**
 * Derives everything anew from the ledger itself, transaction by transaction from the genesis as far as it goes now:
 * nothing that immudb says is believed, and no index is needed. Rejects only when the ledger or Kafka cannot be read;
 * whatever does not hold is in the report. Memory does not grow with the ledger.
 */
export const audit = async (client: LedgerClient, options: AuditOptions = {}): Promise<AuditReport> => {
  const { patiently = atOnce, maxListed = defaultMaxListed } = options;
  const state = await patiently('reading the state of the ledger', () => client.currentState());
  const deviations = deviationList(maxListed);
  const walk = chainWalk(emptyChain(sha256), deviations);
  const covered = coverage(deviations);
  const once = onceEver(deviations, true, options.folder);
  const kafka = kafkaSide(options.readers, deviations);
  const tallies = { transactions: tally(), events: tally(), postings: tally() };
  let stalledIndex: string | null = null;

  const visit = async (read: ReadTx): Promise<void> => {
    const { tx, id } = read;
    tallies.transactions.of += 1;
    const before = deviations.total();
    const isFollowed = tx === null ? walk.skip(id) : walk.follow(tx.header);
    checkAnchors(walk.current(), options, (what) => deviations.add('trust', { tx: id }, what));
    if (tx !== null && !hasItsRoot(read)) {
      deviations.add('entries', { tx: id }, 'its entries do not make the root of its header');
    }
    if (tx === null || !read.isWhole) {
      const what = tx === null ? 'it cannot be read' : 'its values cannot be read';
      deviations.add('unreadable', { tx: id }, `${what}: ${read.why ?? ''}`);
      covered.tear();
      return;
    }
    const contents = contentsOf(tx, deviations);
    if (isFollowed && deviations.total() === before) tallies.transactions.held += 1;
    await check(contents);
  };

  const check = async (contents: TxContents): Promise<void> => {
    const { id, events, counts, faulty } = contents;
    tallies.events.of += counts.events;
    tallies.events.held += events.length - faulty.size;
    tallies.postings.of += counts.postings;
    tallies.postings.held += checkPostings(contents, deviations);
    const spans = covered.add(contents);
    once.add(contents, spans);
    const compared = await kafka.compare(contents, spans);
    for (const span of spans) if (!compared.has(span)) checkRecordHashes(id, span, deviations);
    for (const { eventId } of events) options.onEvent?.(eventId, id);
    for (const { mark } of spans) for (const { eventId } of mark.duplicates) options.onDuplicate?.(eventId, id);
  };

  try {
    const onStall = ({ message }: Error) => (stalledIndex = message);
    for await (const read of readTransactions(client, { from: 1n, to: state.txId, patiently, onStall })) {
      await visit(read);
      const { of: events } = tallies.events;
      options.onProgress?.({ tx: read.id, to: state.txId, events, deviations: deviations.total() });
      await setImmediate(); // answers that arrived meanwhile
    }
    once.settle();
    const end = walk.current();
    checkEnd(end, state.alh, options, (what) => deviations.add('trust', {}, what));
    const kafkaTally = kafka.close();
    return {
      end: { id: end.id, alh: end.alh },
      ...tallies,
      offsets: { held: Number(covered.offsets().held), of: Number(covered.offsets().of) },
      kafka: kafkaTally,
      partitions: covered.lanes(),
      deadByCode: covered.deadByCode(),
      deviations: { total: deviations.total(), byKind: deviations.byKind(), listed: deviations.listed() },
      stalledIndex,
    };
  } finally {
    once.close();
  }
};

const atOnce: NonNullable<AuditOptions['patiently']> = (_, read) => read();

const tally = (): Tally => ({ held: 0, of: 0 });

const hasItsRoot = ({ tx, isWhole }: ReadTx): boolean => {
  if (tx === null) return false;
  const { header, entries } = tx;
  return entries.length === 0 && !isWhole
    ? true // the header alone was read
    : entries.length === header.nentries && equalBytes(rootOf(entries, isWhole), header.eH);
};

/** Values are hashed anew; where they could not be read, their stated hashes must do. */
const rootOf = (entries: Tx['entries'], isWhole: boolean): Uint8Array =>
  rootOfDigests(
    entries.map(({ storedKey, storedValue, hValue, metadata }) =>
      entryDigest({ storedKey, metadata, hValue: isWhole ? sha256(storedValue) : hValue }, sha256),
    ),
    sha256,
  );

/** Of records that Kafka could not be asked for. */
const checkRecordHashes = (tx: bigint, { statements }: Span, deviations: Deviations): void => {
  for (const statement of statements) {
    if (statement.kind !== 'stored' || hasItsRecordHash(statement.event)) continue;
    deviations.add('event', { tx, key: statement.event.key }, 'key, headers and value do not have its record hash');
  }
};

type Anchors = Pick<AuditOptions, 'genesis' | 'trusted'>;

const checkAnchors = (chain: ChainState, { genesis, trusted }: Anchors, deviate: (what: string) => void): void => {
  if (genesis && chain.id === 1n && !equalBytes(chain.alh, genesis)) deviate('it is not the genesis that is pinned');
  if (chain.id === trusted?.id && !equalBytes(chain.alh, trusted.alh))
    deviate('it has another hash than the trusted state knows: the ledger has another past');
};

const checkEnd = (end: ChainState, stated: Uint8Array, { trusted }: Anchors, deviate: (what: string) => void): void => {
  if (trusted && trusted.id > end.id)
    deviate(`it ends at transaction ${end.id.toString()}, but ${trusted.id.toString()} was seen: it was rolled back`);
  if (!equalBytes(end.alh, stated)) deviate('the state that immudb gives is not that of its last transaction');
};
