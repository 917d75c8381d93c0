import type { Config } from '../config.ts';
import type { AuditCommands } from './audit.ts';
import type { ExportCommands } from './exports.ts';
import type { KeyCommands } from './keys.ts';
import type { ReceiptCommands } from './receipts.ts';
import type { DeadLetterDesk } from '../redrive/desk.ts';

/** What the commands do; the faces in this folder only read options and print results. src/wire has the bodies. */
export type Commands = AuditCommands &
  ExportCommands &
  KeyCommands &
  ReceiptCommands & {
    /** Topics, database, genesis. */
    init(config: Config, options: InitOptions): Promise<InitResult>;
    status(config: Config): Promise<Status>;
    /** One event, proven to be in its transaction. */
    getEvent(config: Config, eventId: string): Promise<FoundEvent>;
    logReopen(config: Config, reason: Reason): Promise<ReopenedLog>;
    gapAccept(config: Config, partition: number, reason: Reason): Promise<AcceptedGap>;
    /** Runs until a signal or a halt; resolves with the exit code. */
    run(config: Config): Promise<number>;
    produce(config: Config, options: ProduceOptions): Promise<Produced>;
    /** Partitions that the breaker holds. */
    breaker(config: Config): Promise<readonly HeldPartition[]>;
    /** Of one partition, or of all that are held. */
    breakerRelease(config: Config, partition: number | null, reason: Reason): Promise<readonly ReleasedPartition[]>;
    /** Everything that is done with dead letters. */
    deadLetters(config: Config): Promise<DeadLetterDesk>;
    /** Registers the catalogue, or only asks whether it could be. */
    schemas(config: Config, options: SchemasOptions): Promise<readonly SchemaRow[]>;
    /** The schema of one event type. */
    schemaOf(type: string, format: SchemaFormat): object;
  };

export type SchemaFormat = 'avro' | 'json';

export type SchemasOptions = { readonly act: 'publish' | 'check'; readonly format: SchemaFormat };

export type SchemaRow = {
  readonly subject: string;
  readonly type: string;
  /** Its id in the registry; null if it is not there in this form. */
  readonly id: number | null;
  /** Why it cannot be the next version of its subject; empty if it can. */
  readonly problems: readonly string[];
};

export type ProduceOptions = {
  /** Valid events; poison and duplicates come on top. */
  readonly count: number;
  /** Events a second; null: as fast as it goes. */
  readonly rate: number | null;
  readonly seed: number | null;
  readonly poison: number;
  readonly duplicates: number;
  /** Told what was acknowledged, of how many records. */
  readonly onProgress?: (acknowledged: number, all: number) => void;
};

export type Produced = {
  readonly valid: number;
  readonly poison: number;
  readonly duplicates: number;
  readonly tookMs: number;
};

/** Something about a topic that could lose data (`warn`) or does (`error`). */
export type TopicProblem = {
  readonly severity: 'error' | 'warn';
  readonly topic: string;
  readonly problem: string;
  readonly advice: string;
};

export type InitOptions = {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly maxMessageBytes?: number;
  /** A user with least rights to make, for the pipeline; its password comes from a file. */
  readonly user?: {
    readonly username: string;
    readonly passwordFile: string;
    readonly permission: 'read' | 'readWrite' | 'admin';
  };
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

export type Reason = { readonly by: string; readonly why: string };

export type ReopenedLog = { readonly topic: string; readonly log: number; readonly incarnation: number };

export type AcceptedGap = {
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
  readonly tx: bigint;
};

export type HeldPartition = {
  readonly partition: number;
  /** First offset that is not covered. */
  readonly next: bigint;
  /** The transaction that says so. */
  readonly tx: bigint;
  readonly why: string;
};

export type ReleasedPartition = { readonly partition: number; readonly next: bigint; readonly tx: bigint };

export type FoundEvent = {
  readonly eventId: string;
  readonly tx: bigint;
  /** Where it came from on Kafka. */
  readonly source: {
    readonly log: number;
    readonly partition: number;
    readonly offset: bigint;
    readonly timestamp: bigint;
    readonly sha256: string;
    readonly recordSha256: string;
    readonly key?: Buffer | null;
    readonly encoding: string;
    readonly schemaId?: number;
    /** The record's value, where it was not plain JSON. */
    readonly original?: Buffer;
  };
  readonly json: Buffer;
};
