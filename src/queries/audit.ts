import { setImmediate } from 'node:timers/promises';
import { equalBytes } from '../proofs/bytes.ts';
import type { ChainState } from '../proofs/chain.ts';
import type { TxHash } from '../proofs/linking.ts';
import type { LedgerClient } from '../sinks/immudb/client.ts';
import { eventKey } from '../sinks/immudb/format/keys.ts';
import { chainWalk } from './audit/chain-walk.ts';
import { checkpointCheck, type Checkpoints } from './audit/checkpoint-check.ts';
import { hasItsRecordHash, type TxContents } from './audit/contents.ts';
import { coverage, type PartitionAccount, type Span } from './audit/coverage.ts';
import { deviationList, type Deviation, type DeviationKind, type Deviations } from './audit/deviations.ts';
import { kafkaSide, type KafkaSideTally, type LogReaders } from './audit/kafka-side.ts';
import { onceEver, type Unsettled } from './audit/once-ever.ts';
import { judgeHere, type Judge } from './audit/judge.ts';
import { judgedTransactions, type JudgedTx } from './audit/judged-transactions.ts';
import { readTransactions } from './audit/read-transactions.ts';
import { compareReworded, type RewordedTally } from './audit/reworded.ts';
import { fromGenesis, type AuditStart } from './audit/start.ts';
import { proveUnder } from './audit/trust.ts';

/** How many hold, of how many that were met. */
export type Tally = { held: number; of: number };

export type AuditReport = {
  /** The last transaction that was looked at, and its accumulated hash: what the whole audit rests on. */
  readonly end: TxHash;
  readonly transactions: Tally;
  readonly events: Tally;
  readonly offsets: Tally;
  readonly postings: Tally;
  /** Null: there were no keys to believe. */
  readonly checkpoints: Tally | null;
  readonly kafka: KafkaSideTally;
  /** Duplicates of other bytes than those of their event. */
  readonly reworded: RewordedTally;
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
  /** Where to begin. Default: with transaction 1, so that nothing is taken for granted. */
  readonly start?: AuditStart;
  readonly readers?: LogReaders;
  /** What looks at each transaction by itself. Default: this thread. */
  readonly judge?: Judge;
  readonly checkpoints?: Checkpoints;
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
  const { patiently = atOnce, maxListed = defaultMaxListed, start = fromGenesis } = options;
  const state = await patiently('reading the state of the ledger', () => client.currentState());
  const deviations = deviationList(maxListed);
  const walk = chainWalk(start.chain, deviations);
  const covered = coverage(deviations, start.lanes);
  const once = onceEver(deviations, start.chain.id === 0n, options.folder);
  const kafka = kafkaSide(options.readers, deviations, start.logs);
  let ledgerId: string | null = null;
  let genesis: Uint8Array | null = options.genesis ?? null;
  const ledger = { ledgerId: () => ledgerId, genesis: () => genesis };
  const checkpoints =
    options.checkpoints === undefined ? null : checkpointCheck(options.checkpoints, ledger, deviations, options.folder);
  const tallies = { transactions: tally(), events: tally(), postings: tally() };
  let stalledIndex: string | null = null;

  const visit = async ({ read, contents, deviations: own, verdict }: JudgedTx): Promise<void> => {
    const { tx, id } = read;
    tallies.transactions.of += 1;
    const before = deviations.total();
    const isFollowed = tx === null ? walk.skip(id) : walk.follow(tx.header);
    if (walk.current().id === 1n) genesis = walk.current().alh;
    checkAnchors(walk.current(), options, (what) => deviations.add('trust', { tx: id }, what));
    if (!verdict.isRooted) deviations.add('entries', { tx: id }, 'its entries do not make the root of its header');
    if (contents === null) {
      const what = tx === null ? 'it cannot be read' : 'its values cannot be read';
      deviations.add('unreadable', { tx: id }, `${what}: ${read.why ?? ''}`);
      covered.tear();
      return;
    }
    for (const { kind, key, what } of own) deviations.add(kind, { tx: id, ...(key !== null && { key }) }, what);
    ledgerId ??= contents.formats[0]?.format.ledgerId ?? null;
    if (isFollowed && deviations.total() === before) tallies.transactions.held += 1;
    count(contents, verdict);
    await check(contents);
  };

  const count = ({ events, counts, faulty }: TxContents, verdict: JudgedTx['verdict']): void => {
    tallies.events.of += counts.events;
    tallies.events.held += events.length - new Set([...faulty, ...verdict.faulty]).size;
    tallies.postings.of += counts.postings;
    tallies.postings.held += verdict.postings;
  };

  const check = async (contents: TxContents): Promise<void> => {
    const { id, events } = contents;
    const spans = covered.add(contents);
    once.add(contents, spans);
    const compared = await kafka.compare(contents, spans);
    for (const span of spans) if (!compared.has(span)) checkRecordHashes(id, span, deviations);
    for (const { eventId } of events) options.onEvent?.(eventId, id);
    for (const { mark } of spans) for (const { eventId } of mark.duplicates) options.onDuplicate?.(eventId, id);
  };

  try {
    const onStall = ({ message }: Error) => (stalledIndex = message);
    const reads = readTransactions(client, { from: start.chain.id + 1n, to: state.txId, patiently, onStall });
    for await (const judged of judgedTransactions(reads, options.judge ?? judgeHere)) {
      const { read } = judged;
      await visit(judged);
      const { id, alh } = walk.current();
      await checkpoints?.at({ id, alh: read.tx === null ? null : alh }, () => covered.lanes());
      const { of: events } = tallies.events;
      options.onProgress?.({ tx: read.id, to: state.txId, events, deviations: deviations.total() });
      await setImmediate(); // answers that arrived meanwhile
    }
    const unsettled = once.settle();
    await settleDuplicates(unsettled, start, deviations);
    const { recordAt } = kafka;
    const reworded = await compareReworded({ client, patiently, recordAt }, unsettled, deviations);
    const present = await patiently('reading the state of the ledger', () => client.currentState());
    const checkpointTally = (await checkpoints?.settle(present.txId)) ?? null;
    const end = walk.current();
    checkEnd(end, state.alh, options, (what) => deviations.add('trust', {}, what));
    await proveUnder(client, anchorsBefore(start.chain.id, options), end, deviations);
    const kafkaTally = kafka.close();
    return {
      end: { id: end.id, alh: end.alh },
      ...tallies,
      offsets: { held: Number(covered.offsets().held), of: Number(covered.offsets().of) },
      checkpoints: checkpointTally,
      kafka: kafkaTally,
      reworded,
      partitions: covered.lanes(),
      deadByCode: covered.deadByCode(),
      deviations: { total: deviations.total(), byKind: deviations.byKind(), listed: deviations.listed() },
      stalledIndex,
    };
  } finally {
    once.close();
    checkpoints?.close();
  }
};

const atOnce: NonNullable<AuditOptions['patiently']> = (_, read) => read();

const tally = (): Tally => ({ held: 0, of: 0 });

/** Of records that Kafka could not be asked for. */
const checkRecordHashes = (tx: bigint, { statements }: Span, deviations: Deviations): void => {
  for (const statement of statements) {
    if (statement.kind !== 'stored' || hasItsRecordHash(statement.event)) continue;
    deviations.add('event', { tx, key: statement.event.key }, 'key, headers and value do not have its record hash');
  }
};

/** Of events that were stored before the audit's first transaction. */
const settleDuplicates = async ({ duplicates, count }: Unsettled, start: AuditStart, deviations: Deviations) => {
  for (const { eventId, tx } of duplicates) {
    if (await start.isStored(eventId)) continue;
    const what = 'a duplicate of it is stated, but it is not stored by then';
    deviations.add('duplicate', { tx, key: eventKey(eventId) }, what);
  }
  const left = count - duplicates.length;
  if (left > 0) deviations.add('duplicate', {}, `${left} more duplicates were not looked up: audit from the genesis`);
};

/** What is trusted of the part that the audit does not visit. */
const anchorsBefore = (id: bigint, { genesis, trusted }: Anchors): readonly TxHash[] => [
  ...(genesis && id > 1n ? [{ id: 1n, alh: genesis }] : []),
  ...(trusted && trusted.id < id ? [trusted] : []),
];

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
