/**
 * Every way this project fails, decided once. A failure is classified where it is met, by choosing its code here:
 *
 * - `retry`: the outside is at fault; wait and try again, hold the partitions, dead-letter nothing.
 * - `dead-letter`: the record is at fault; it alone leaves the batch.
 * - `halt`: a bug, a proof that failed, or a person must decide; the offset stays and the process ends with `exitCode`.
 * - `usage`: what a person typed or configured is wrong; nothing was changed.
 *
 * docs/errors.md is generated from this table and tested equal to it.
 */
export type Disposition = 'retry' | 'dead-letter' | 'halt' | 'usage';

export type ErrorEntry = {
  readonly disposition: Disposition;
  /** What the process ends with when this error ends it. */
  readonly exitCode: number;
  /** What it means, in one sentence. */
  readonly meaning: string;
  /** What the reader should do. */
  readonly advice: string;
};

const retry = (meaning: string, advice: string): ErrorEntry => ({
  disposition: 'retry',
  exitCode: 75,
  meaning,
  advice,
});
const halt = (exitCode: number, meaning: string, advice: string): ErrorEntry => ({
  disposition: 'halt',
  exitCode,
  meaning,
  advice,
});
const usage = (meaning: string, advice: string): ErrorEntry => ({ disposition: 'usage', exitCode: 2, meaning, advice });

export const errorTable = {
  // --- a bug, or something nobody foresaw
  UNEXPECTED: halt(1, 'Something happened that the program does not know.', 'Report it with the log lines around it.'),

  // --- usage
  CONFIG_INVALID: usage(
    'The configuration has problems.',
    'Mend every line listed; docs/configuration.md has them all.',
  ),
  USAGE: usage('The command line could not be understood.', 'Run the command with --help.'),

  // --- Kafka and the ledger disagree
  LOG_REPLACED: halt(
    40,
    'The Kafka log is not the one that the ledger covers: replaced, rewound or truncated.',
    'Find out who did it. To go on with the log as it is now: immutrail log reopen --by YOU --why REASON.',
  ),
  COVERAGE_HOLE: halt(
    41,
    'Offsets between the ledger and what Kafka delivers are missing without a reason that Kafka shows.',
    'Nothing was stored past the hole. Report it with the log lines around it.',
  ),
  LEDGER_CONTENDED: halt(
    42,
    'The ledger refused a transaction again and again although everything that could explain it was read.',
    'Look for a second pipeline on this ledger with another group; then start again.',
  ),
  LEDGER_KEY_DELETED: halt(
    43,
    'A key that may be written once only was deleted in immudb by somebody.',
    'Treat it as tampering: find out who has write access to the database.',
  ),

  // --- the ledger does not prove what it says
  LEDGER_PROOF_FAILED: halt(
    44,
    'What immudb says does not connect with what is trusted of this ledger.',
    'Not proven is not yet forged: keep the disk of immudb and the trusted state as evidence, then run `immutrail audit`.',
  ),
  LEDGER_HEADER_MISMATCH: halt(
    47,
    'The header with which immudb acknowledged a write is not of what was sent.',
    'Nothing was committed to Kafka. Keep the disk of immudb as evidence; it lies or is broken.',
  ),
  TRUSTED_STATE_DAMAGED: halt(
    45,
    'The file with the trusted state of the ledger is damaged.',
    'Restore it from a copy; an older one will do, as the ledger is proven to extend it.',
  ),
  GENESIS_MISMATCH: halt(
    46,
    'The first transaction of the ledger is not the one that was pinned when it was made.',
    'The database was replaced, or the configuration names another one. Mend the name, or find out who replaced it.',
  ),
  TRUSTED_STATE_UNAVAILABLE: retry(
    'The file with the trusted state cannot be read or written.',
    'Check its disk, folder and rights; the pipeline goes on by itself.',
  ),
  TRUSTED_STATE_EXISTS: usage(
    'There is a trusted state where a new one was to be made.',
    'Name another file, or move the old one away if its ledger is gone for good.',
  ),

  // --- Kafka refuses for a reason that waiting does not mend
  KAFKA_AUTH_FAILED: halt(
    60,
    'Kafka does not accept the login.',
    'Check kafka.sasl: mechanism, user name, and the file with the password or token. Files are read anew at each connection.',
  ),
  KAFKA_PERMISSION: halt(
    61,
    'Kafka accepts the login but does not allow what was tried.',
    'Grant the rights that `immutrail init --print-acls` lists to this user.',
  ),
  KAFKA_TOPIC_MISSING: halt(
    62,
    'A topic does not exist, or this user may not see it.',
    'Make it with `immutrail init`, or mend kafka.topic and kafka.deadLetterTopic.',
  ),
  RECORD_BATCH_UNDECODABLE: halt(
    63,
    'A record batch on the topic is damaged, or compressed in a way that cannot be read; nothing behind it is reachable.',
    'Read the offset with another client. If that fails too, restore the replica; the ledger goes on from the offset before it.',
  ),
  DEAD_LETTER_TOO_LARGE: halt(
    64,
    'A record to be dead-lettered is larger than the dead-letter topic takes.',
    'Raise max.message.bytes of the dead-letter topic to 64 KiB above that of the source topic, then start again.',
  ),
  KAFKA_TLS_FAILED: halt(
    65,
    'The TLS connection to Kafka cannot be made.',
    'Check kafka.tls.caFile, the name in the certificate of the broker, and that the port speaks TLS.',
  ),
  KAFKA_UNSUPPORTED: halt(
    66,
    'The brokers do not speak what is needed: a version, a login mechanism or a codec.',
    'Use Kafka 2.4 or later, and a mechanism of kafka.sasl that the listener offers.',
  ),
  KAFKA_GROUP_CONFLICT: halt(
    67,
    'The consumer group is in use by something that is not this program, or is full.',
    'Stop the other members, or give this pipeline a group of its own (it needs a ledger of its own then).',
  ),
  KAFKA_TOPIC_UNSUITABLE: halt(
    68,
    'The settings of a topic would lose records.',
    'Mend the settings that are listed, then start again.',
  ),
  KAFKA_REFUSED: halt(
    69,
    'Kafka refused a request for good.',
    'Look at the message of the broker; its policies may forbid what was asked for.',
  ),

  // --- the outside is at fault
  KAFKA_UNAVAILABLE: retry(
    'Kafka cannot be reached or refuses for now.',
    'Check the brokers; the pipeline goes on by itself.',
  ),
  LEDGER_UNAVAILABLE: retry(
    'immudb cannot be reached or is shutting down.',
    'Check immudb; the pipeline goes on by itself.',
  ),
  LEDGER_TIMEOUT: retry(
    'immudb did not answer before the deadline; a write may or may not have happened.',
    'Nothing: the pipeline reads the ledger to find out. If it lasts, look for a stalled index in the log of immudb.',
  ),
  LEDGER_OVERLOADED: retry('immudb refuses for load.', 'Nothing at first; if it lasts, lower the rate limits.'),
  LEDGER_SESSION_LOST: retry('The immudb session is gone.', 'Nothing: it is opened anew and the ledger is read again.'),

  REGISTRY_UNAVAILABLE: retry(
    'The schema registry cannot be reached, refuses for load, or what answers in its place is no registry.',
    'Check the registry and registry.url; the pipeline goes on by itself, and dead-letters nothing meanwhile.',
  ),

  // --- the registry refuses for a reason that waiting does not mend
  REGISTRY_CREDENTIALS: halt(
    70,
    'The schema registry does not accept the login, or does not allow what was asked for.',
    'Check registry.username and registry.passwordFile, and the rights of that user.',
  ),
  REGISTRY_REFUSED: halt(
    71,
    'The schema registry does not take a schema: it is not compatible with the version before it, or not valid.',
    '`immutrail schemas check` says what is not compatible. Register under another subject, or mend the schema.',
  ),

  // --- the ledger's format
  LEDGER_FORMAT_INVALID: halt(
    50,
    'A key or value is not what ledger format 1 allows.',
    'If it was read: something else wrote to the ledger, or a newer program did; look at the named key. If it was about to be written: report it.',
  ),

  // --- what an audit came to
  AUDIT_DEVIATIONS: halt(
    30,
    'The audit found something that does not hold; each deviation is named with its transaction and key.',
    'Keep the disk of immudb, the trusted state and the checkpoints as evidence; docs/audit.md says what each kind means.',
  ),
  AUDIT_INCOMPLETE: halt(
    31,
    'The audit found nothing wrong, but immudb could not be read as the pipeline reads it: its index does not answer.',
    'Look for `indexing failed` in the log of immudb, restart it, and audit again.',
  ),

  // --- this is not the ledger to write to
  LEDGER_NOT_INITIALISED: halt(
    22,
    'The database holds no ledger yet.',
    'Make one with `immutrail init`; it needs an empty database.',
  ),
  LEDGER_FOREIGN: halt(
    23,
    'The database holds something else than the ledger of this group and topic.',
    'Check the database name, group and topic in the configuration.',
  ),
  LEDGER_NOT_EMPTY: usage(
    'A ledger can be made in an empty database only.',
    'Name a new database; one that was dropped cannot be made again under its name.',
  ),
  LEDGER_TRUST_MISSING: usage(
    'There is nothing to check the ledger against: no trusted state, no checkpoint that is believed, no pinned genesis.',
    'Pin the genesis hash that `immutrail init` printed (IMMUTRAIL_LEDGER_GENESIS), or name the public keys of checkpoints. ledger.trustOnFirstUse believes the ledger instead.',
  ),
  KEY_EXISTS: usage(
    'There is a file where a new signing key was to be written.',
    'Name another file: a key that signed checkpoints must never be lost. Move it away only if you are sure.',
  ),
  KEY_INVALID: usage(
    'A signing key or a public key cannot be understood.',
    'Signing keys are files made by `immutrail keys make`; public keys are what `immutrail keys show` prints.',
  ),
  CHECKPOINT_PENDING: retry(
    'No checkpoint covers this yet.',
    'Try again in some seconds; `immutrail run` publishes checkpoints when checkpoints.signingKeyFiles names a key.',
  ),
  CHECKPOINT_KEYS_MISSING: usage(
    'The configuration names no key whose checkpoints are believed.',
    'Name public keys in checkpoints.publicKeys, or a key of your own in checkpoints.signingKeyFiles.',
  ),
  VERIFY_FAILED: halt(
    48,
    'A file does not prove what it says: something in it was changed, left out or put together from elsewhere.',
    'Do not rely on it. Ask for a new one, and keep this one as evidence.',
  ),
  VERIFY_UNPINNED: halt(
    49,
    'What the file says holds together, but nobody is known to have signed it.',
    'Get the public key on another way than with the file, and give it with --key.',
  ),
  FILE_UNREADABLE: usage('A file cannot be read.', 'Check its name and rights.'),
  FILE_UNWRITABLE: usage(
    'A file cannot be written, or is there already.',
    'Name another file, in a folder that you may write to.',
  ),
  EVENT_UNKNOWN: usage(
    'The ledger holds no event of this id.',
    'Check the id; `immutrail status` shows how far the ledger is.',
  ),
  EVENT_INVALID: usage(
    'An audit event was not sent because the pipeline would refuse it.',
    'Mend every problem that the message lists; docs/events.md has the fields of each type.',
  ),
  EVENT_REFUSED: usage(
    'Kafka refuses an audit event for good.',
    'Send large payloads elsewhere and their digest and address in the event, or raise max.message.bytes of the topic.',
  ),
  EVENT_UNSENT: usage(
    'An audit event was given up before Kafka acknowledged it; it may lie there all the same.',
    'Keep the event and publish it again under its id: it is stored once. Where nothing may happen unaudited, do not act.',
  ),
  PRODUCER_FULL: usage(
    'The buffer of the producer is full, and it was told to refuse.',
    'Wait and publish again, or let publish() wait for room (whenFull).',
  ),
  PRODUCER_CLOSED: usage('The producer takes no more events.', 'Publish before close().'),
  GAP_NOTHING_TO_ACCEPT: usage(
    'No records of this partition were lost below the log start.',
    '`immutrail status` shows the partitions that are held.',
  ),

  // --- acts on dead letters
  DEAD_LETTER_UNKNOWN: usage(
    'The ledger holds no dead letter of this id.',
    '`immutrail dlq list --state all` shows them; an id is log/partition/offset of the record.',
  ),
  BREAKER_NOT_HOLDING: usage(
    'The breaker does not hold this partition.',
    '`immutrail breaker` shows the partitions that it holds.',
  ),
  DEAD_LETTER_NOT_OPEN: usage(
    'The act needs an open dead letter, and this one is settled or under way.',
    '`immutrail dlq history` says who did what to it.',
  ),
  REDRIVE_UNKNOWN: usage(
    'There is no redrive of this id, or nothing of it is under way.',
    '`immutrail dlq status` shows the redrives that have letters under way.',
  ),
  REDRIVE_NOT_SETTLED: retry(
    'The pipeline has not come to the records of a redrive in time.',
    'See that `immutrail run` is up and holds no partition; then go on with `immutrail dlq redrive --resume`.',
  ),
  REDRIVE_TOO_LARGE: usage(
    'A record with the headers of its redrive is larger than the topic takes.',
    'Raise max.message.bytes of the topic a little; the dead letter stays open.',
  ),

  // --- immudb refuses, or says what it must not say: a person decides
  LEDGER_REFUSED_PRECONDITION: halt(
    10,
    'immudb refused a write because a key exists, is missing or was modified, and nobody dealt with that.',
    'Report it: the writer reads the ledger and goes on when that happens.',
  ),
  LEDGER_CREDENTIALS: halt(
    11,
    'immudb does not know the user or the password is wrong.',
    'Mend the user name or the password file, then start again.',
  ),
  LEDGER_DATABASE_MISSING: halt(
    12,
    'immudb has no database of this name.',
    'Mend the name, or create the ledger with `immutrail init`.',
  ),
  LEDGER_PERMISSION: halt(
    13,
    'The immudb user may not do this.',
    'Give the user its right on this database: 1 reads, 2 also writes, 254 administers.',
  ),
  LEDGER_CORRUPTED: halt(
    14,
    'immudb found that data on its disk was changed or damaged.',
    'Keep the disk as evidence, run `immutrail audit`, and restore immudb from a copy that the audit accepts.',
  ),
  LEDGER_ROLLED_BACK: halt(
    15,
    'immudb knows fewer transactions than were seen before: it was restored from an older copy, or replaced.',
    'Find out who restored it; keep its disk and the trusted state as evidence.',
  ),
  LEDGER_REQUEST_REFUSED: halt(
    16,
    'immudb refuses this request for good: too many entries, a key too long, a key twice, nothing in it, or too large.',
    'Report it with the message: requests are cut to the limits of immudb before they are sent.',
  ),
  LEDGER_SETTINGS: halt(
    17,
    'immudb refuses these database settings or this database name.',
    'Names are letters and digits; most settings are permanent once the database exists.',
  ),
  LEDGER_NOT_FOUND: halt(
    18,
    'A key or transaction that must be in the ledger is not there.',
    'Run `immutrail audit`; if it finds nothing, report it.',
  ),
  LEDGER_ANSWER_INVALID: halt(
    19,
    'What answered in place of immudb did not keep to its protocol.',
    'Check that host and port are those of an immudb 1.11 server; what it said is in the message.',
  ),
  LEDGER_ANSWER_TOO_LARGE: halt(
    20,
    'One answer of immudb is larger than the message limit.',
    'Raise the message limit; single values can have 32 MiB.',
  ),
  LEDGER_UNKNOWN_ERROR: halt(
    21,
    'immudb refused with an error that the program does not know.',
    'Look into the log of immudb; report the message so that it can be classified.',
  ),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** An error whose disposition is decided. `message` says what was being done; `cause` keeps what was met. */
export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get entry(): ErrorEntry {
    return errorTable[this.code];
  }

  get disposition(): Disposition {
    return this.entry.disposition;
  }
}

/** What is not classified is a bug: it halts. */
export const asPipelineError = (error: unknown, doing: string): PipelineError =>
  error instanceof PipelineError
    ? error
    : new PipelineError('UNEXPECTED', `${doing}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
