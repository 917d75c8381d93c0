import { userInfo } from 'node:os';
import type {
  AcceptedGap,
  FoundEvent,
  InitOptions,
  InitResult,
  Reason,
  ReopenedLog,
  Status,
  StatusRow,
} from '../cli/commands.ts';
import { readSecret, type Config } from '../config.ts';
import { operatorRights, pipelineRights, producerRights, rightsAsCommands } from '../consumers/kafka/rights.ts';
import { PipelineError } from '../errors.ts';
import { requireSameLog } from '../pipeline/survey.ts';
import { hexOfBytes } from '../proofs/hex.ts';
import { acceptGap, makeLedger, reopenLog } from '../sinks/immudb/acts.ts';
import type { LedgerEntry } from '../sinks/immudb/answers.ts';
import { ledgerSettings, openLedgerAdmin } from '../sinks/immudb/admin.ts';
import { decodeEventValue } from '../sinks/immudb/format/event-value.ts';
import { eventKey } from '../sinks/immudb/format/keys.ts';
import { isEventId } from '../sinks/immudb/format/event-id.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';
import { readMarks } from '../sinks/immudb/marks.ts';
import { createTrustedState } from '../sinks/immudb/trusted-state.ts';
import { maxTxEntries } from '../sinks/immudb/transaction.ts';
import { retrying } from '../sinks/with-retry.ts';
import { connectKafkaAdmin, connectLedger, connectLedgerClient, ledgerOptions, requireLog } from './connect.ts';

/** What immutrail's commands do, one function each: open what is needed, act, close. Errors are PipelineErrors. */

/** Topics, database, genesis. Each step leaves what exists; only an empty database becomes a ledger. */
export const init = async (config: Config, options: InitOptions): Promise<InitResult> => {
  const { topic, deadLetterTopic, group } = config.kafka;
  const names = { topic, deadLetterTopic, checkpointTopic: config.checkpoints.topic };
  const { database, trustedStateFile } = config.ledger;
  const kafka = await connectKafkaAdmin(config);
  try {
    const topicsCreated = await kafka.createTopics({ ...names, ...options });
    const problems = await kafka.inspectTopics(names);
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
          ...rightsAsCommands('immutrail', pipelineRights({ ...names, group })),
          ...rightsAsCommands('a-service', producerRights(topic)),
          ...rightsAsCommands('an-operator', operatorRights({ topic, deadLetterTopic })),
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
    const { settings } = await admin.createDatabase(database, ledgerSettings, { ifNotExists: true });
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

/** A coordinator that moves, or is not there yet, is back within seconds. */
const patiently = <T>(doing: string, work: () => Promise<T>): Promise<T> =>
  retrying({ maxElapsedMs: 10_000 })(doing, work, new AbortController().signal);

export const status = async (config: Config): Promise<Status> => {
  const { topic, deadLetterTopic, group } = config.kafka;
  const ledger = await connectLedger(config);
  try {
    const kafka = await connectKafkaAdmin(config);
    try {
      const log = await requireLog(ledger, topic);
      const rows = await patiently('reading the lag', () => kafka.readLag({ group, topic }));
      const marks = await readMarks(
        ledger,
        log.number,
        rows.map((row) => row.partition),
      );
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

/** The entry of an event, proven to be in its transaction. Rejects with USAGE or EVENT_UNKNOWN. */
export const readEntry = async (ledger: Ledger, config: Config, eventId: string): Promise<LedgerEntry> => {
  const id = eventId.toLowerCase();
  if (!isEventId(id)) throw new PipelineError('USAGE', `${eventId} is not an event id (a UUID)`);
  const entry = await ledger.client.get(Buffer.from(eventKey(id)));
  if (entry === null) throw new PipelineError('EVENT_UNKNOWN', `there is no event ${id} in ${config.ledger.database}`);
  await ledger.reads.verifyEntry(entry);
  return entry;
};

/** One event, proven to be in its transaction under the trusted hash. */
export const getEvent = async (config: Config, eventId: string): Promise<FoundEvent> => {
  const ledger = await connectLedger(config);
  try {
    const entry = await readEntry(ledger, config, eventId);
    return { ...decodeEventValue(entry.key.toString(), entry.value), tx: entry.tx, eventId: eventId.toLowerCase() };
  } finally {
    await ledger.close();
  }
};

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

/**
 * Takes the loss of records that Kafka deleted below the log start into the ledger, with who and why. Rejects with
 * LOG_REPLACED, and states nothing, when any partition says that this is another log: then its start is no loss.
 */
export const gapAccept = async (config: Config, partition: number, reason: Reason): Promise<AcceptedGap> => {
  const { topic } = config.kafka;
  const ledger = await connectLedger(config);
  try {
    const kafka = await connectKafkaAdmin(config);
    try {
      const log = await requireLog(ledger, topic);
      const partitions = [...(await kafka.ends(topic)).keys()];
      const marks = await readMarks(ledger, log.number, partitions);
      const bounds = await kafka.bounds(topic, [...new Set([...partitions, partition])]);
      requireSameLog(marks, bounds, log.clusterId);
      const logStart = bounds.partitions.get(partition)?.start ?? 0n;
      const { gap, tx } = await acceptGap(ledger, { log: log.number, partition, logStart, ...reason });
      return { partition, from: gap.from, to: gap.to, tx };
    } finally {
      await kafka.close();
    }
  } finally {
    await ledger.close();
  }
};
