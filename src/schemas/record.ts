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
