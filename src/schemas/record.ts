/** A record as it lies on Kafka. `key` and `value` are views into the fetch response: copy what outlives the batch. */
export type KafkaRecord = {
  readonly partition: number;
  readonly offset: bigint;
  /** Unix milliseconds, as Kafka states it. */
  readonly timestamp: bigint;
  readonly timestampType: 'create' | 'append';
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** Sorted by name; equal names in the order in which the producer sent them. */
  readonly headers: readonly Header[];
};

export type Header = readonly [name: string, value: Buffer | null];

/** Why offsets hold no deliverable record. `below_log_start` is loss; the others are Kafka's own doing. */
export type GapReason = 'control' | 'aborted' | 'absent' | 'below_log_start';

/** Offsets `from` up to, not including, `to` that hold no record for us, with the evidence's name. */
export type Gap = { readonly from: bigint; readonly to: bigint; readonly reason: GapReason };

/** The last record that a partition's coverage saw, carried forward over gaps: a log is recognised by it. */
export type LastRecord = { readonly offset: bigint; readonly timestamp: bigint; readonly sha256: string };
