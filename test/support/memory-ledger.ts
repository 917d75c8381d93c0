import { randomUUID } from 'node:crypto';
import type { LedgerClient } from '../../src/sinks/immudb/client.ts';
import type { Tx } from '../../src/sinks/immudb/answers.ts';
import { compose } from '../../src/sinks/immudb/compose.ts';
import { encodeFormat } from '../../src/sinks/immudb/format/format-value.ts';
import { formatKey, logKey } from '../../src/sinks/immudb/format/keys.ts';
import { encodeLog } from '../../src/sinks/immudb/format/log-value.ts';
import { setRequest } from '../../src/sinks/immudb/proto/messages.ts';
import type { Outcome, Span, Standing } from '../../src/sinks/sink.ts';
import type { Entry } from '../../src/proofs/entry.ts';
import type { KafkaRecord } from '../../src/schemas/record.ts';
import type { LogReader } from '../../src/queries/audit/originals.ts';
import { ledgerOf, nextTx, type ReferenceTx } from './reference-ledger.ts';
import { sha } from './reference-tree.ts';

/** A ledger as the writer composes it, in memory: contents can be changed and chained anew, as a forger would. */
export type MemoryLedger = {
  /** Entries of each transaction; `contents[0]` is transaction 1. */
  readonly contents: Entry[][];
  /** Everything that Kafka holds for it. */
  readonly records: KafkaRecord[];
  readonly letters: KafkaRecord[];
};

const clusterId = 'cluster';
const topics = ['events', 'events.dlq'];

export const newMemoryLedger = (): MemoryLedger => {
  const format = encodeFormat({
    ...{ ledgerId: 'ledger', group: 'group', created: '2026-01-31T12:00:00.000Z' },
    settings: { maxTxEntries: 1024, maxKeyLen: 1024, maxValueLen: 33_554_432, embeddedValues: false },
  });
  const logs = topics.map((topic, at) => ({
    key: Buffer.from(logKey(at + 1)),
    value: encodeLog({ clusterId, topic, incarnation: 1, openedBy: 'test', why: 'init' }),
    metadata: null,
  }));
  return {
    contents: [[{ key: Buffer.from(formatKey), value: format, metadata: null }], logs],
    records: [],
    letters: [],
  };
};

/** A writer on it, composing as the pipeline does. */
export const memoryWriter = (ledger: MemoryLedger) => {
  const standings = new Map<number, Standing>();
  const writer = randomUUID();
  return async (spans: readonly Span[]): Promise<void> => {
    const composed = await compose({ spans }, { source: 1, deadLetters: 2 }, writer, () => Promise.resolve());
    const { entries } = setRequest.decode(Buffer.from(composed.seal(standings)));
    composed.release();
    ledger.contents.push(entries.map(({ key, value }) => ({ key, value, metadata: null })));
    for (const { partition, next, last, outcomes } of spans) {
      standings.set(partition, { partition, next, last, tx: BigInt(ledger.contents.length) });
      for (const outcome of outcomes) keep(ledger, outcome);
    }
  };
};

const keep = ({ records, letters }: MemoryLedger, outcome: Outcome): void => {
  records.push(outcome.record);
  if (outcome.kind !== 'dead') return;
  const { record, dlq, code } = outcome;
  const facts = { topic: 'events', partition: record.partition, offset: record.offset, code };
  const headers = Object.entries(facts).map(
    ([name, value]) => [`__immutrail.errors.${name}`, Buffer.from(String(value))] as const,
  );
  letters.push({ ...record, ...dlq, headers: [...record.headers, ...headers] });
};

/** The transactions as an immudb that wrote these contents would hold them. */
export const txsOf = (contents: readonly (readonly Entry[])[]): ReferenceTx[] => {
  const txs: ReferenceTx[] = [];
  for (const entries of contents) txs.push(plainTx(txs, entries));
  return txs;
};

const plainTx = (before: readonly ReferenceTx[], entries: readonly Entry[]): ReferenceTx => nextTx(before, entries);

const served = ({ header, entries }: ReferenceTx, hasValues = true): Tx => ({
  header,
  entries: entries.map(({ key, value, metadata }) => {
    const stored = metadata?.deleted === true && value.length === 0 ? Buffer.alloc(0) : prefixed(value);
    return {
      storedKey: prefixed(key),
      storedValue: hasValues ? stored : Buffer.alloc(0),
      hValue: Buffer.from(sha(stored)),
      metadata,
    };
  }),
});

const prefixed = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.of(0), bytes]);

/** What of a client an audit uses. */
export type AuditedClient = Pick<LedgerClient, 'currentState' | 'txScan' | 'txById' | 'verifiableTxById'>;

/** A client of a server with these transactions. */
export const clientOf = (txs: readonly ReferenceTx[]): AuditedClient => ({
  currentState: () => {
    const last = txs.at(-1);
    return Promise.resolve({
      database: 'memory',
      txId: last?.header.id ?? 0n,
      alh: Buffer.from(last?.alh ?? new Uint8Array(32)),
      signature: null,
    });
  },
  txScan: (from, limit) =>
    Promise.resolve(
      txs
        .filter(({ header }) => header.id >= from)
        .slice(0, limit)
        .map((tx) => served(tx)),
    ),
  txById: (id, wanted) => {
    const tx = txs[Number(id) - 1];
    if (tx === undefined) return Promise.resolve(null);
    const all = served(tx, wanted === 'raw');
    return Promise.resolve(wanted === 'none' ? { ...all, entries: [] } : all);
  },
  verifiableTxById: (id, since, wanted) => {
    const tx = txs[Number(id) - 1];
    if (tx === undefined) return Promise.resolve(null);
    const [source, target] = id < since ? [id, since] : [since, id];
    const dualProof = ledgerOf(txs).dualProof(Number(source), Number(target));
    return Promise.resolve({ tx: { ...served(tx, wanted === 'raw') }, dualProof, signature: null });
  },
});

/** A topic with these records, some at a time. Offsets between them hold transaction markers. */
export const readerOf = (
  records: readonly KafkaRecord[],
  starts: ReadonlyMap<number, bigint> = new Map(),
  isCompacted = false,
): LogReader => {
  const partitions = Map.groupBy(
    records.toSorted((a, b) => (a.offset < b.offset ? -1 : 1)),
    ({ partition }) => partition,
  );
  const endOf = (partition: number) => (partitions.get(partition)?.at(-1)?.offset ?? -1n) + 1n;
  const startOf = (partition: number) => starts.get(partition) ?? 0n;
  return {
    isCompacted,
    bounds: () =>
      Promise.resolve(
        new Map(
          [...partitions.keys()].map((partition) => [partition, { start: startOf(partition), end: endOf(partition) }]),
        ),
      ),
    read: (partition, from) => {
      const own = (partitions.get(partition) ?? []).filter(({ offset }) => offset >= from).slice(0, 3);
      const last = own.at(-1);
      if (last === undefined || from < startOf(partition)) return Promise.resolve(null);
      return Promise.resolve({ from, next: last.offset + 1n, records: own, gaps: [] });
    },
  };
};
