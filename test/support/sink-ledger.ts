import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hexOfBytes } from '../../src/proofs/hex.ts';
import type { KafkaRecord, LastRecord } from '../../src/schemas/record.ts';
import { decode } from '../../src/schemas/decode.ts';
import { valueSha256 } from '../../src/schemas/record-hash.ts';
import { makeLedger } from '../../src/sinks/immudb/acts.ts';
import { openLedgerClient, type LedgerClient } from '../../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { openLedger, type Ledger } from '../../src/sinks/immudb/ledger.ts';
import { immudbSink } from '../../src/sinks/immudb/sink.ts';
import type { Outcome, Sink, Span } from '../../src/sinks/sink.ts';
import type { Stack } from '../../stack/stack.ts';
import { testEvent } from './load.ts';
import { rootHere } from './root-here.ts';
import { createDatabase } from './written-ledger.ts';

/** A sink on a ledger, opened as `immutrail run` opens it, without Kafka. */
export type OpenSink = { readonly sink: Sink; readonly ledger: Ledger; readonly writerId: string };

/** A ledger of its own on this server, on which any number of sinks may be opened. */
export type SinkLedger = {
  readonly database: string;
  /** A client beside the sinks, to look at what they wrote. */
  readonly client: LedgerClient;
  openSink(options?: { port?: number; deadlineMs?: number; maxUnexplained?: number }): Promise<OpenSink>;
  close(): Promise<void>;
};

export const sinkLimits = { maxBytes: 4 * 1024 * 1024 };

export const makeSinkLedger = async (server: Stack['immudb']): Promise<SinkLedger> => {
  const database = `sink${randomUUID().replaceAll('-', '')}`;
  const folder = await mkdtemp(join(tmpdir(), 'immutrail-sink-'));
  const { host, port, username, passwordFile } = server;
  const password = passwordFromFile(passwordFile);
  const connection = { host, port, username, password, database };
  await createDatabase(server, database);
  const client = await openLedgerClient(connection);
  const made = await makeLedger(client, {
    ...{ database, group: 'group', clusterId: 'cluster', topics: ['events', 'events.dlq'], by: 'test' },
    settings: { maxTxEntries: 1024, maxKeyLen: 1024, maxValueLen: 33_554_432, embeddedValues: false },
    now: new Date(),
  });
  const opened: Ledger[] = [];
  return {
    database,
    client,
    openSink: async ({ deadlineMs = 10_000, maxUnexplained = 3, ...at } = {}) => {
      const own = await openLedgerClient({ ...connection, deadlineMs, channels: 3, ...at });
      const stateFile = join(folder, `state-${opened.length}.json`);
      const ledger = await openLedger(own, { database, genesis: hexOfBytes(made.genesis), stateFile });
      opened.push(ledger);
      const writerId = randomUUID();
      const logs = { source: 1, deadLetters: 2 };
      return {
        ledger,
        writerId,
        sink: immudbSink({ ledger, logs, writerId, limits: sinkLimits, deadlineMs, maxUnexplained, rootOf: rootHere }),
      };
    },
    close: async () => {
      for (const ledger of opened) await ledger.close(1000);
      await client.close(1000);
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export const recordOf = (partition: number, offset: bigint, value: Buffer | null): KafkaRecord => ({
  ...{ partition, offset, value, timestamp: 1_767_225_600_000n + offset, timestampType: 'create' },
  key: Buffer.from('key'),
  headers: [['content-type', Buffer.from('application/json')]],
});

/** A new event that is to be stored, with these fields. */
export const storedAt = (
  partition: number,
  offset: bigint,
  fields: Readonly<Record<string, unknown>> = {},
): Outcome & { kind: 'stored' } => {
  const value = Buffer.from(JSON.stringify(testEvent(fields)));
  const decoded = decode(value);
  if (!decoded.accepted) throw new Error(`the event of this test is refused: ${decoded.message}`);
  const { facts, json } = decoded;
  return { kind: 'stored', record: recordOf(partition, offset, value), facts, json };
};

const lastOf = (outcome: Outcome): LastRecord => {
  const { offset, timestamp, value } = outcome.record;
  return { offset, timestamp, sha256: outcome.kind === 'stored' ? valueSha256(value) : outcome.sha256 };
};

/** Coverage from `first` on by these outcomes, which must be consecutive but for these gaps. */
export const spanOf = (
  partition: number,
  first: bigint,
  outcomes: readonly Outcome[],
  gaps: Span['gaps'] = [],
  before: LastRecord | null = null,
): Span => {
  const covered = gaps.reduce((sum, { from, to }) => sum + to - from, BigInt(outcomes.length));
  const last = outcomes.at(-1);
  return {
    ...{ partition, first, outcomes, gaps, unchecked: false },
    next: first + covered,
    last: last === undefined ? before : lastOf(last),
  };
};
