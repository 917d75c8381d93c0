import type { Gap, KafkaRecord } from '../schemas/record.ts';

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

/** Where a partition's log begins, and where it ends (high watermark). */
export type LogBounds = { readonly start: bigint; readonly end: bigint };

/** What the source tells its one consumer. Calls are synchronous where they return void. */
export type SourceHandler = {
  /** A new assignment; every delivery of an older epoch is void from this call on. */
  assigned(epoch: number, partitions: readonly number[]): void;
  /** The group is moving on (rebalance, crash, stop): finish what is being written, give up the rest, soon. */
  letGo(): void;
  /**
   * Resolves with the offset at which the next fetch begins: the delivery's end once all of it is being written, or how
   * far it is durable when it was given up; null when nothing of it is (the position stays, or a seek moved it). Never
   * rejects. What is then not written after all is fetched again, by a seek.
   */
  deliver(delivery: Delivery): Promise<bigint | null>;
  /** A fetch was answered with an error: the topic may be another one now. Recognise every log anew. */
  doubt(): void;
  /** The source cannot go on by itself (it has tried): a PipelineError with disposition halt. */
  failed(error: Error): void;
};

/**
 * A Kafka topic read as one member of a consumer group. Retrying, decoding and writing are the pipeline's job. The
 * source fetches, keeps its membership alive while deliveries are pending, and remembers no offsets of its own: the
 * position is the pipeline's to say, by `seek`.
 */
export type Source = {
  start(handler: SourceHandler): Promise<void>;
  /** First half of stopping: what is fetched from now on is not delivered any more. */
  quiesce(): void;
  /** Stops fetching; resolves when no delivery is pending and the group has been left. Idempotent. */
  stop(): Promise<void>;
  /** The next fetch of this partition begins at `offset`. Deliveries already fetched may still arrive. */
  seek(partition: number, offset: bigint): void;
  /** Fetches no more of this partition until it is released or assigned anew; the others go on. */
  hold(partition: number): void;
  release(partition: number): void;
  /**
   * Tells Kafka how far we are, as a hint for dashboards. True when the broker took it, which also confirms that this
   * epoch's membership still stands; false when it is over or the broker cannot be reached. Never rejects.
   */
  commit(offsets: readonly CommittedOffset[], epoch: number): Promise<boolean>;
  /** Where the logs begin and end, by two equal reads. Rejects with a `retry` error when Kafka cannot say. */
  bounds(partitions: readonly number[]): Promise<TopicBounds>;
};

export type TopicBounds = {
  readonly clusterId: string;
  readonly isCompacted: boolean;
  readonly partitions: ReadonlyMap<number, LogBounds>;
};

export type CommittedOffset = { readonly partition: number; readonly next: bigint; readonly metadata: string };
