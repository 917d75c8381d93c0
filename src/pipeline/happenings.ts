import type { Gap } from '../schemas/record.ts';

/** What the pipeline tells the world while it runs; telemetry makes log lines and metrics of it. */
export type Happenings = {
  assigned(epoch: number, partitions: readonly number[]): void;
  letGo(): void;
  partitionOpened(partition: number, next: bigint): void;
  /** Another writer moved it past us. */
  partitionMoved(partition: number, next: bigint): void;
  /** Held until a person decides: `tripped` is why the breaker holds it, or null for records that were lost. */
  partitionHeld(partition: number, tripped: string | null): void;
  partitionReleased(partition: number): void;
  /** Records that nobody had stored were deleted from Kafka. */
  recordsLost(partition: number, gap: Gap): void;
  batchWritten(written: BatchWritten): void;
  /** Events that were in the ledger already, found when a transaction was refused or by looking first. */
  eventsFound(count: number): void;
  commitRefused(partitions: number): void;
  /** Something must halt the process: a PipelineError, or a bug. */
  failed(error: unknown): void;
};

export type BatchWritten = {
  readonly tx: bigint;
  /** What it covers: [first, next) of each partition. */
  readonly spans: readonly { readonly partition: number; readonly first: bigint; readonly next: bigint }[];
  readonly stored: number;
  readonly duplicates: number;
  /** Events stored although their payload is not right, by type: what is wrong with the last of them. */
  readonly doubtful: ReadonlyMap<string, { readonly count: number; readonly doubt: string }>;
  readonly dead: ReadonlyMap<string, number>;
  readonly gaps: readonly Gap[];
  readonly entries: number;
  readonly bytes: number;
  /** Share of the batch limit that was used, 0 to 1. */
  readonly fill: number;
  readonly durationMs: number;
};
