import type { AuditCommand, Audited } from '../cli/audit.ts';
import type { Config } from '../config.ts';
import { kafkaClient } from '../consumers/kafka/connection.ts';
import { logReader } from '../consumers/kafka/log-reader.ts';
import { PipelineError } from '../errors.ts';
import { equalBytes } from '../proofs/bytes.ts';
import { bytesOfHex, hexOfBytes } from '../proofs/hex.ts';
import type { LogReaders } from '../queries/audit/kafka-side.ts';
import { audit as auditLedger, type AuditReport } from '../queries/audit.ts';
import type { LedgerClient } from '../sinks/immudb/client.ts';
import type { LogEntry } from '../sinks/immudb/format/log-value.ts';
import { readTrustedLedger, type TrustedLedger } from '../sinks/immudb/trusted-state-file.ts';
import { retrying } from '../sinks/with-retry.ts';
import { connectKafkaAdmin, connectLedgerClient } from './connect.ts';

/** Longest wait for servers that come back; the audit then ends with 75. */
const patienceMs = 60_000;

/** `immutrail audit`. Writes nothing, neither to the ledger nor to the trusted state. */
export const audit = async (config: Config, options: AuditCommand): Promise<Audited> => {
  const began = performance.now();
  const trust = await trustOf(config);
  const client = await connectLedgerClient(config);
  try {
    const kafka = options.isLedgerOnly ? null : await openKafka(config);
    try {
      const { onProgress } = options;
      const report = await auditLedger(client, {
        genesis: trust.genesis,
        trusted: trust.ledger?.chain ?? null,
        patiently: patientlyOn(client),
        ...(kafka && { readers: kafka.readers }),
        ...(onProgress && { onProgress }),
      });
      return audited(config, report, trust.anchors, performance.now() - began);
    } finally {
      await kafka?.close();
    }
  } finally {
    await client.close();
  }
};

type Trust = {
  readonly genesis: Uint8Array | null;
  readonly ledger: TrustedLedger | null;
  readonly anchors: readonly string[];
};

/** What the ledger is held against: what is pinned, and what the trusted state file knows. */
const trustOf = async ({ ledger }: Config): Promise<Trust> => {
  const pinned = ledger.genesis === null ? null : bytesOfHex(ledger.genesis, 32);
  const known = await readTrustedLedger(ledger.trustedStateFile);
  if (pinned === null && known === null) {
    throw new PipelineError(
      'LEDGER_TRUST_MISSING',
      `no genesis is pinned and ${ledger.trustedStateFile} does not exist`,
    );
  }
  if (pinned !== null && known !== null && !equalBytes(pinned, known.genesis)) {
    throw new PipelineError('CONFIG_INVALID', `ledger.genesis is not the genesis in ${ledger.trustedStateFile}`);
  }
  return {
    genesis: pinned ?? known?.genesis ?? null,
    ledger: known,
    anchors: [
      ...(pinned === null ? [] : ['the pinned genesis']),
      ...(known === null ? [] : [`the trusted state (transaction ${known.chain.id.toString()})`]),
    ],
  };
};

/** Waits for an immudb that restarts; what is read twice is followed by its hashes all the same. */
const patientlyOn = (client: LedgerClient) => {
  const retry = retrying({ maxElapsedMs: patienceMs });
  return <T>(doing: string, read: () => Promise<T>): Promise<T> => {
    const again = async () => {
      if (client.state() === 'lost' || client.state() === 'reopening') await client.reopen();
      return await read();
    };
    return retry(doing, again, new AbortController().signal);
  };
};

/** The two topics of this configuration, if a log of the ledger is of this cluster. */
const openKafka = async (config: Config): Promise<{ readers: LogReaders; close(): Promise<void> }> => {
  const { topic, deadLetterTopic } = config.kafka;
  const admin = await connectKafkaAdmin(config);
  const { clusterId, isCompacted } = await admin.bounds(topic, []).finally(() => admin.close());
  const kafka = kafkaClient(config.kafka);
  const source = logReader({ kafka, topic, isCompacted });
  const letters = logReader({ kafka, topic: deadLetterTopic, isCompacted: false });
  const close = async () => {
    await source.close();
    await letters.close();
  };
  try {
    await source.connect();
    await letters.connect();
  } catch (error) {
    await close();
    throw error;
  }
  const isOf = (log: LogEntry, name: string) => log.clusterId === clusterId && log.topic === name;
  return {
    readers: {
      source: (log) => (isOf(log, topic) ? source : null),
      deadLetters: (log) => (isOf(log, deadLetterTopic) ? letters : null),
    },
    close,
  };
};

const audited = (config: Config, report: AuditReport, anchors: readonly string[], tookMs: number): Audited => {
  const { transactions, events, offsets, postings, kafka, end, deviations, stalledIndex } = report;
  return {
    database: config.ledger.database,
    holds: deviations.total === 0 && stalledIndex === null,
    ...{ transactions, events, offsets, postings },
    originals: kafka.originals && {
      held: Number(kafka.originals.held),
      of: Number(kafka.originals.of),
      gone: Number(kafka.originals.gone),
    },
    deadLetters: kafka.deadLetters,
    end: { tx: end.id, alh: hexOfBytes(end.alh) },
    anchors,
    deviations: { ...deviations, byKind: Object.fromEntries(deviations.byKind) },
    stalledIndex,
    tookMs: Math.round(tookMs),
    eventsPerSecond: Math.round((events.of * 1000) / Math.max(1, tookMs)),
  };
};
