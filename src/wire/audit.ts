import type { AuditCommand, Audited } from '../cli/audit.ts';
import type { Config } from '../config.ts';
import { kafkaClient } from '../consumers/kafka/connection.ts';
import { logReader } from '../consumers/kafka/log-reader.ts';
import { PipelineError } from '../errors.ts';
import { equalBytes } from '../proofs/bytes.ts';
import { bytesOfHex, hexOfBytes } from '../proofs/hex.ts';
import { openCheckpoint, type Checkpoint } from '../proofs/checkpoint.ts';
import { ProofError } from '../proofs/proof-error.ts';
import { judgeThread } from '../queries/audit/judge-thread.ts';
import { startAt } from '../queries/audit/start.ts';
import type { CheckpointPlace, Checkpoints } from '../queries/audit/checkpoint-check.ts';
import type { LogReader } from '../queries/audit/originals.ts';
import type { LogReaders } from '../queries/audit/kafka-side.ts';
import { audit as auditLedger, type AuditReport } from '../queries/audit.ts';
import { verifyEd25519 } from '../sinks/checkpoints/ed25519.ts';
import { oldestOfFolder } from '../sinks/checkpoints/folder.ts';
import type { LedgerClient } from '../sinks/immudb/client.ts';
import type { LogEntry } from '../sinks/immudb/format/log-value.ts';
import { readTrustedLedger, type TrustedLedger } from '../sinks/immudb/trusted-state-file.ts';
import { retrying } from '../sinks/with-retry.ts';
import { acceptedKeys } from './checkpoints.ts';
import { letHeapGrow } from './heap.ts';
import { connectKafkaAdmin, connectLedgerClient, stateKeyOf } from './connect.ts';

/** Longest wait for servers that come back; the audit then ends with 75. */
const patienceMs = 60_000;
/** A fifth less of CPU than with the pipeline's, and some 50 MB more of memory. */
const heapGrowthPercent = 200;

/** `immutrail audit`. Writes nothing, neither to the ledger nor to the trusted state. */
export const audit = async (config: Config, options: AuditCommand): Promise<Audited> => {
  letHeapGrow(heapGrowthPercent);
  const began = performance.now();
  const trust = await trustOf(config);
  const client = await connectLedgerClient(config);
  const judging = judgeThread();
  try {
    const kafka = options.isLedgerOnly ? null : await openKafka(config);
    try {
      const { onProgress } = options;
      const checkpoints = checkpointsOf(config, kafka?.notes ?? null);
      const from = options.isFromCheckpoint ? await newestOf(config, kafka?.notes ?? null) : null;
      const start = from === null ? null : await startAt(client, from);
      const report = await auditLedger(client, {
        ...(start && { start }),
        genesis: trust.genesis,
        trusted: trust.ledger?.chain ?? null,
        patiently: patientlyOn(client),
        judge: judging.judge,
        ...(kafka && { readers: kafka.readers }),
        ...(checkpoints && { checkpoints }),
        ...(onProgress && { onProgress }),
      });
      const anchors = [
        ...trust.anchors,
        ...(from === null ? [] : [`the checkpoint of transaction ${from.tx.id.toString()}`]),
      ];
      return audited(config, report, anchors, performance.now() - began);
    } finally {
      await kafka?.close();
    }
  } finally {
    await judging.close();
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

type KafkaSide = { readonly readers: LogReaders; readonly notes: LogReader; close(): Promise<void> };

/** Where checkpoints lie, if any key's are believed. */
const checkpointsOf = (config: Config, notes: LogReader | null): Checkpoints | null => {
  const keys = acceptedKeys(config);
  if (keys.length === 0) return null;
  const { folder, topic } = config.checkpoints;
  const { signingKeyFile, database } = config.ledger;
  return {
    ...(signingKeyFile !== null && { signedState: { database, verify: stateKeyOf(signingKeyFile) } }),
    open: (note) => openCheckpoint(note, keys, verifyEd25519),
    places: [...(notes === null ? [] : [topicPlace(topic, notes)]), ...(folder === null ? [] : [folderPlace(folder)])],
  };
};

/** The newest checkpoint that is believed and is of this ledger, as far as that is known. */
const newestOf = async (config: Config, notes: LogReader | null): Promise<Checkpoint> => {
  const found = checkpointsOf(config, notes);
  if (found === null)
    throw new PipelineError('USAGE', 'audit --from-checkpoint: the configuration names no key to believe');
  let newest: Checkpoint | null = null;
  for (const { oldestFirst } of found.places) {
    for await (const { note } of oldestFirst()) {
      const checkpoint = openedOrNull(() => found.open(note).checkpoint);
      if (checkpoint !== null && checkpoint.sequence > (newest?.sequence ?? 0n)) newest = checkpoint;
    }
  }
  if (newest === null)
    throw new PipelineError('USAGE', 'audit --from-checkpoint: no checkpoint was found that is believed');
  return newest;
};

const openedOrNull = <T>(open: () => T): T | null => {
  try {
    return open();
  } catch (error) {
    if (error instanceof ProofError) return null;
    throw error;
  }
};

/** Checkpoints lie on the first partition of their topic, which need not be there. */
const topicPlace = (topic: string, reader: LogReader): CheckpointPlace => ({
  name: topic,
  oldestFirst: async function* () {
    const start = await startOf(reader);
    for (let from = start; from !== null;) {
      const slice = await reader.read(0, from);
      for (const { offset, value } of slice?.records ?? []) {
        if (value !== null) yield { where: `${topic}@${offset.toString()}`, note: value };
      }
      from = slice?.next ?? null;
    }
  },
});

const startOf = async (reader: LogReader): Promise<bigint | null> => {
  try {
    return (await reader.bounds()).get(0)?.start ?? null;
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'KAFKA_TOPIC_MISSING') return null;
    throw error;
  }
};

const folderPlace = (folder: string): CheckpointPlace => ({ name: folder, oldestFirst: () => oldestOfFolder(folder) });

/** The two topics of this configuration, if a log of the ledger is of this cluster. */
const openKafka = async (config: Config): Promise<KafkaSide> => {
  const { topic, deadLetterTopic } = config.kafka;
  const admin = await connectKafkaAdmin(config);
  const { clusterId, isCompacted } = await admin.bounds(topic, []).finally(() => admin.close());
  const kafka = kafkaClient(config.kafka);
  const source = logReader({ kafka, topic, isCompacted });
  const letters = logReader({ kafka, topic: deadLetterTopic, isCompacted: false });
  const notes = logReader({ kafka, topic: config.checkpoints.topic, isCompacted: false });
  const close = async () => {
    await notes.close();
    await source.close();
    await letters.close();
  };
  try {
    await source.connect();
    await letters.connect();
    await notes.connect();
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
    notes,
    close,
  };
};

const audited = (config: Config, report: AuditReport, anchors: readonly string[], tookMs: number): Audited => {
  const { transactions, events, offsets, postings, checkpoints, kafka, reworded, end, deviations, stalledIndex } =
    report;
  return {
    database: config.ledger.database,
    holds: deviations.total === 0 && stalledIndex === null,
    ...{ transactions, events, offsets, postings, checkpoints },
    originals: kafka.originals && {
      held: Number(kafka.originals.held),
      of: Number(kafka.originals.of),
      gone: Number(kafka.originals.gone),
    },
    deadLetters: kafka.deadLetters,
    reworded,
    end: { tx: end.id, alh: hexOfBytes(end.alh) },
    anchors,
    deviations: { ...deviations, byKind: Object.fromEntries(deviations.byKind) },
    stalledIndex,
    tookMs: Math.round(tookMs),
    eventsPerSecond: Math.round((events.of * 1000) / Math.max(1, tookMs)),
  };
};
