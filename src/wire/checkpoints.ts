import type { Config } from '../config.ts';
import { kafkaClient, type KafkaLog } from '../consumers/kafka/connection.ts';
import { noteTopic, type NoteTopic } from '../consumers/kafka/note-topic.ts';
import { PipelineError } from '../errors.ts';
import type { Readiness } from '../http/readiness.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { equalBytes } from '../proofs/bytes.ts';
import { parseCheckpoint } from '../proofs/checkpoint.ts';
import { alh } from '../proofs/header.ts';
import { bytesOfHex } from '../proofs/hex.ts';
import type { TxHash } from '../proofs/linking.ts';
import { formatNoteKey, type NoteKey } from '../proofs/note-key.ts';
import { parseNote } from '../proofs/note.ts';
import { newestOfFolder, writeCheckpoint } from '../sinks/checkpoints/folder.ts';
import { publicKeyOf, readSigner } from '../sinks/checkpoints/key-file.ts';
import { newestCheckpoint, type NoteSource } from '../sinks/checkpoints/newest.ts';
import type { LedgerView } from '../sinks/checkpoints/next.ts';
import { newestOfLog } from '../sinks/checkpoints/note-log.ts';
import { checkpointPublisher, type CheckpointHappenings, type Publisher } from '../sinks/checkpoints/publisher.ts';
import { coverageAt } from '../sinks/immudb/coverage-at.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';
import { sha256 } from '../sinks/immudb/sha256.ts';
import type { Telemetry } from '../telemetry.ts';

/** Every key whose checkpoints are believed, each once. Throws KEY_INVALID. */
export const acceptedKeys = ({ checkpoints }: Config): readonly NoteKey[] => {
  const { signingKeyFiles, publicKeys } = checkpoints;
  const all = [...signingKeyFiles.map((file) => readSigner(file).key), ...publicKeys.map(publicKeyOf)];
  return [...new Map(all.map((key) => [formatNoteKey(key), key])).values()];
};

/** Where checkpoints of this configuration lie. The topic need not be there. */
export const checkpointSources = ({ checkpoints }: Config, topic: NoteTopic): readonly NoteSource[] => [
  orNothing(newestOfLog(topic)),
  ...(checkpoints.folder === null ? [] : [newestOfFolder(checkpoints.folder)]),
];

/** A topic that does not exist holds nothing; one that cannot be read is an error. */
const orNothing = (source: NoteSource): NoteSource => ({
  newestFirst: async function* () {
    try {
      yield* source.newestFirst();
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== 'KAFKA_TOPIC_MISSING') throw error;
    }
  },
});

/** Opens the topic of checkpoints for a command, and closes it whatever happens. */
export const withCheckpointTopic = async <T>(
  config: Config,
  work: (topic: NoteTopic) => Promise<T>,
  log?: KafkaLog,
): Promise<T> => {
  const topic = noteTopic(kafkaClient(config.kafka, log), config.checkpoints.topic);
  try {
    return await work(topic);
  } finally {
    await topic.close();
  }
};

export type PublishOptions = {
  readonly config: Config;
  readonly kafka: ReturnType<typeof kafkaClient>;
  readonly ledger: Ledger;
  readonly lifecycle: Lifecycle;
  readonly telemetry: Telemetry;
  readonly readiness: Pick<Readiness, 'warn'>;
  readonly halt: (error: Error) => void;
};

const nobody: Publisher = { own: () => undefined, stop: () => Promise.resolve() };

/** Publishes this ledger's checkpoints while it is the owner, if the configuration names a key to sign with. */
export const publishCheckpoints = async (options: PublishOptions): Promise<Publisher> => {
  const { config, kafka, lifecycle } = options;
  const { closeMs } = config.stop;
  const { checkpoints } = config;
  if (checkpoints.signingKeyFiles.length === 0) return nobody;
  const openTopic = () => noteTopic(kafka, checkpoints.topic);
  const topic = await lifecycle.open('checkpoint topic', closeMs, openTopic, (made) => () => made.close());
  const wanted = { keys: acceptedKeys(config), ledgerId: options.ledger.format.ledgerId };
  const { folder } = checkpoints;
  const open = () =>
    checkpointPublisher({
      view: viewOf(options),
      topic,
      writeToFolder: folder === null ? null : (note) => writeNote(folder, note),
      newest: () => newestCheckpoint(checkpointSources(config, topic), wanted),
      everyMs: checkpoints.everyMs,
      idleMs: checkpoints.idleMs,
      happenings: toldOf(options),
      halt: options.halt,
      now: () => performance.now(),
    });
  return await lifecycle.open('checkpoints', closeMs, open, (publisher) => () => publisher.stop());
};

const writeNote = (folder: string, note: string): Promise<void> => {
  const { text } = parseNote(note);
  return writeCheckpoint(folder, parseCheckpoint(text), text, note);
};

const viewOf = ({ config, ledger }: PublishOptions): LedgerView => ({
  ledgerId: ledger.format.ledgerId,
  database: config.ledger.database,
  genesis: bytesOfHex(ledger.genesis, 32),
  present: () => ledger.advance(),
  coverageAt: (tx) => coverageAt(ledger, tx),
  requireHolds: (tx) => requireHolds(ledger, tx),
  signers: config.checkpoints.signingKeyFiles.map(readSigner),
  wallMs: () => Date.now(),
});

/** Rejects unless the ledger, as it is proven to be now, has exactly this transaction. */
export const requireHolds = async (ledger: Pick<Ledger, 'advance' | 'reads'>, { id, alh: signed }: TxHash) => {
  const present = await ledger.advance();
  const stated = `a checkpoint states transaction ${id.toString()}`;
  if (present.id < id)
    throw new PipelineError('LEDGER_ROLLED_BACK', `${stated}, immudb ends at ${present.id.toString()}`);
  const { header } = await ledger.reads.verifiedTx(id);
  if (!equalBytes(alh(header, sha256), signed))
    throw new PipelineError('LEDGER_PROOF_FAILED', `${stated} with another hash than immudb has`);
};

const toldOf = ({ telemetry, readiness }: PublishOptions): CheckpointHappenings => ({
  owning: telemetry.checkpointsOwned,
  published: (checkpoint) => {
    readiness.warn('checkpoints', null);
    telemetry.checkpointPublished(checkpoint);
  },
  failed: (error) => {
    readiness.warn('checkpoints', `not published: ${error.code}`);
    telemetry.checkpointFailed(error);
  },
});
