import type { KafkaRecord } from '../schemas/record.ts';

/** Why offsets hold no deliverable record. `below_log_start` is loss; the others are Kafka's own doing. */
export type GapReason = 'control' | 'aborted' | 'absent' | 'below_log_start';

/** Offsets `from` up to, not including, `to` that hold no record for us, with the evidence's name. */
export type Gap = { readonly from: bigint; readonly to: bigint; readonly reason: GapReason };

/**
 * What one fetch brought of one partition: every offset in [from, next) is either in `records` or in `gaps`, in order.
 * `from` is the position that the fetch asked for.
 */
export type Delivery = {
  readonly partition: number;
  /** The assignment under which it was fetched; a delivery of an older epoch is void. */
  readonly epoch: number;
  readonly from: bigint;
  readonly next: bigint;
  readonly records: readonly KafkaRecord[];
  readonly gaps: readonly Gap[];
  /** Log end (high watermark) as of this fetch. */
  readonly logEnd: bigint;
};

/** Where a partition's log begins and ends now, on which cluster. */
export type LogBounds = { readonly start: bigint; readonly end: bigint };

/** What the source tells its one consumer. Calls are synchronous where they return void. */
export type SourceHandler = {
  /** A new assignment; every delivery of an older epoch is void from this call on. */
  assigned(epoch: number, partitions: readonly number[]): void;
  /** All assignments are void (crash, or stopping). */
  revoked(): void;
  /**
   * Resolves when the source may fetch this partition further: all of it is durable (and the position moves to
   * `resolved`), or it was given up (null: the position stays, or a seek moved it). Must not reject.
   */
  deliver(delivery: Delivery): Promise<bigint | null>;
  /** The source cannot go on by itself (it has tried). */
  failed(error: Error): void;
};

/**
 * A Kafka topic read as one member of a consumer group. Retrying, decoding and writing are the pipeline's job. The
 * source fetches, keeps its membership alive while deliveries are pending, and remembers no offsets of its own: the
 * position is the pipeline's to say, by `seek`.
 */
export type Source = {
  start(handler: SourceHandler): Promise<void>;
  /** Stops fetching; resolves when no delivery is pending and the group has been left. Idempotent. */
  stop(): Promise<void>;
  /** The next fetch of this partition begins at `offset`. Deliveries already fetched may still arrive. */
  seek(partition: number, offset: bigint): void;
  /** Tells Kafka how far we are, as a hint for dashboards. Resolves false when Kafka refused; never rejects. */
  commit(offsets: readonly CommittedOffset[], epoch: number): Promise<boolean>;
  /** Heartbeats now; true if the broker confirms that this epoch's assignment still stands. */
  confirm(epoch: number): Promise<boolean>;
  /** Two equal reads of the bounds and the cluster id. Rejects with a `retry` error when Kafka cannot say. */
  bounds(partitions: readonly number[]): Promise<{ clusterId: string; bounds: ReadonlyMap<number, LogBounds> }>;
};

export type CommittedOffset = { readonly partition: number; readonly next: bigint; readonly metadata: string };
