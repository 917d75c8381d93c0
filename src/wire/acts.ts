import { userInfo } from 'node:os';
import { readSecret, type Config } from '../config.ts';
import type { TopicProblem } from '../consumers/kafka/topics.ts';
import { pipelineRights, producerRights, rightsAsCommands } from '../consumers/kafka/rights.ts';
import { PipelineError } from '../errors.ts';
import { hexOfBytes } from '../proofs/hex.ts';
import { acceptGap, makeLedger, reopenLog } from '../sinks/immudb/acts.ts';
import { openLedgerAdmin, type NewUser } from '../sinks/immudb/admin.ts';
import { decodeEventValue, type EventValue } from '../sinks/immudb/format/event-value.ts';
import { eventKey } from '../sinks/immudb/format/keys.ts';
import { isEventId } from '../sinks/immudb/format/event-id.ts';
import { readMarks } from '../sinks/immudb/marks.ts';
import { createTrustedState } from '../sinks/immudb/trusted-state.ts';
import { maxTxEntries } from '../sinks/immudb/transaction.ts';
import { connectKafkaAdmin, connectLedger, connectLedgerClient, ledgerOptions, requireLog } from './connect.ts';

/** What immutrail's commands do, one function each: open what is needed, act, close. Errors are PipelineErrors. */

export type InitOptions = {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly maxMessageBytes?: number;
  /** A user with least rights to make, for the pipeline; its password comes from a file. */
  readonly user?: { readonly username: string; readonly passwordFile: string; readonly permission: NewUser['permission'] };
};

export type InitResult = {
  readonly database: string;
  readonly ledgerId: string;
  /** What to pin: 64 hexadecimal digits. */
  readonly genesis: string;
  readonly trustedStateFile: string;
  readonly topicsCreated: readonly string[];
  readonly problems: readonly TopicProblem[];
  readonly user: string | null;
  /** Commands that make users of Kafka with least rights. */
  readonly kafkaRights: readonly string[];
};

/** Topics, database, genesis. Each step leaves what exists; only an empty database becomes a ledger. */
export const init = async (config: Config, options: InitOptions): Promise<InitResult> => {
  const { topic, deadLetterTopic, group } = config.kafka;
  const { database, trustedStateFile } = config.ledger;
  const kafka = await connectKafkaAdmin(config);
  try {
    const topicsCreated = await kafka.createTopics({ topic, deadLetterTopic, ...options });
    const problems = await kafka.inspectTopics({ topic, deadLetterTopic });
    const clusterId = await kafka.clusterId();
    const settings = await makeDatabase(config, options);
    const client = await connectLedgerClient(config);
    try {
      const by = userInfo().username;
      const topics = [topic, deadLetterTopic];
      const made = await makeLedger(client, { database, group, settings, clusterId, topics, by, now: new Date() });
      await (await createTrustedState(trustedStateFile, made)).close();
      return {
        database,
        ledgerId: made.ledgerId,
        genesis: hexOfBytes(made.genesis),
        trustedStateFile,
        topicsCreated,
        problems,
        user: options.user?.username ?? null,
        kafkaRights: [
          ...rightsAsCommands('immutrail', pipelineRights({ topic, deadLetterTopic, group })),
          ...rightsAsCommands('a-service', producerRights(topic)),
        ],
      };
    } finally {
      await client.close();
    }
  } finally {
    await kafka.close();
  }
};

/** The database with the settings that the format relies on; an existing one must have them. */
const makeDatabase = async (config: Config, { user }: InitOptions) => {
  const admin = await openLedgerAdmin(ledgerOptions(config));
  try {
    const { database } = config.ledger;
    const { settings } = await admin.createDatabase(database, { maxTxEntries }, { ifNotExists: true });
    const { maxTxEntries: entries = 0, maxKeyLen = 0, maxValueLen = 0, embeddedValues = false } = settings;
    if (entries < maxTxEntries || maxKeyLen < 1024 || settings.writeTxHeaderVersion !== 1) {
      throw new PipelineError('LEDGER_SETTINGS', `database ${database} has smaller limits than the format needs`);
    }
    if (user !== undefined) {
      const { username, permission, passwordFile } = user;
      await admin.createUser({ username, password: readSecret(passwordFile), permission, database });
    }
    return { maxTxEntries: entries, maxKeyLen, maxValueLen, embeddedValues };
  } finally {
    await admin.close();
  }
};

export type StatusRow = {
  readonly partition: number;
  readonly logStart: bigint;
  readonly logEnd: bigint;
  /** First offset that the ledger does not cover; null: no mark yet. */
  readonly ledgerNext: bigint | null;
  readonly committed: bigint | null;
  /** Offsets between the ledger and the log end. */
  readonly lag: bigint;
  readonly lastTx: bigint | null;
  /** Deleted from Kafka before the ledger had them; the partition is held until a person accepts it. */
  readonly lost: bigint;
};

export type Status = {
  readonly database: string;
  readonly ledgerId: string;
  readonly genesis: string;
  readonly transactions: bigint;
  readonly topic: string;
  readonly log: number;
  readonly incarnation: number;
  readonly group: string;
  readonly lag: bigint;
  readonly partitions: readonly StatusRow[];
  readonly problems: readonly TopicProblem[];
};

export const status = async (config: Config): Promise<Status> => {
  const { topic, deadLetterTopic, group } = config.kafka;
  const ledger = await connectLedger(config);
  try {
    const kafka = await connectKafkaAdmin(config);
    try {
      const log = await requireLog(ledger, topic);
      const rows = await kafka.readLag({ group, topic });
      const marks = await readMarks(ledger, log.number, rows.map((row) => row.partition));
      const partitions = rows.map((row): StatusRow => {
        const mark = marks.get(row.partition);
        const from = mark?.next ?? row.start;
        return {
          partition: row.partition,
          logStart: row.start,
          logEnd: row.end,
          ledgerNext: mark?.next ?? null,
          committed: row.committed,
          lag: row.end > from ? row.end - from : 0n,
          lastTx: mark?.tx ?? null,
          lost: row.start > from ? row.start - from : 0n,
        };
      });
      return {
        database: config.ledger.database,
        ledgerId: ledger.format.ledgerId,
        genesis: ledger.genesis,
        transactions: ledger.trusted.current().id,
        topic,
        log: log.number,
        incarnation: log.incarnation,
        group,
        lag: partitions.reduce((sum, row) => sum + row.lag, 0n),
        partitions,
        problems: await kafka.inspectTopics({ topic, deadLetterTopic }),
      };
    } finally {
      await kafka.close();
    }
  } finally {
    await ledger.close();
  }
};

export type FoundEvent = EventValue & { readonly tx: bigint; readonly eventId: string };

/** One event, proven to be in its transaction under the trusted hash. */
export const getEvent = async (config: Config, eventId: string): Promise<FoundEvent> => {
  const id = eventId.toLowerCase();
  if (!isEventId(id)) throw new PipelineError('USAGE', `${eventId} is not an event id (a UUID)`);
  const ledger = await connectLedger(config);
  try {
    const key = eventKey(id);
    const entry = await ledger.client.get(Buffer.from(key));
    if (entry === null) throw new PipelineError('EVENT_UNKNOWN', `there is no event ${id} in ${config.ledger.database}`);
    await ledger.reads.verifyEntry(entry);
    return { ...decodeEventValue(key, entry.value), tx: entry.tx, eventId: id };
  } finally {
    await ledger.close();
  }
};

export type Reason = { readonly by: string; readonly why: string };

export type ReopenedLog = { readonly topic: string; readonly log: number; readonly incarnation: number };

/** The topic as it is now becomes a log of its own, read from its start. */
export const logReopen = async (config: Config, reason: Reason): Promise<ReopenedLog> => {
  const { topic } = config.kafka;
  const ledger = await connectLedger(config);
  try {
    const kafka = await connectKafkaAdmin(config);
    try {
      const clusterId = await kafka.clusterId();
      const log = await reopenLog(ledger, { topic, clusterId, ...reason });
      return { topic, log: log.number, incarnation: log.incarnation };
    } finally {
      await kafka.close();
    }
  } finally {
    await ledger.close();
  }
};

export type AcceptedGap = { readonly partition: number; readonly from: bigint; readonly to: bigint; readonly tx: bigint };

/** Takes the loss of records that Kafka deleted below the log start into the ledger, with who and why. */
export const gapAccept = async (config: Config, partition: number, reason: Reason): Promise<AcceptedGap> => {
  const { topic } = config.kafka;
  const ledger = await connectLedger(config);
  try {
    const kafka = await connectKafkaAdmin(config);
    try {
      const log = await requireLog(ledger, topic);
      const { partitions } = await kafka.bounds(topic, [partition]);
      const logStart = partitions.get(partition)?.start ?? 0n;
      const { gap, tx } = await acceptGap(ledger, { log: log.number, partition, logStart, ...reason });
      return { partition, from: gap.from, to: gap.to, tx };
    } finally {
      await kafka.close();
    }
  } finally {
    await ledger.close();
  }
};
