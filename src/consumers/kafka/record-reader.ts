import type { Kafka } from 'kafkajs';
import type { KafkaRecord } from '../../schemas/record.ts';
import { clusterOf } from './cluster.ts';
import { kafkaError, protocolErrorType } from './errors.ts';
import { fetchFrom } from './offsets.ts';

/** Single records of one topic, by their offsets, without a group. */
export type RecordReader = {
  connect(): Promise<void>;
  /**
   * The record at this offset; null when none can be read there (any more, or yet). It is a view of one fetch, which is
   * kept until the next: copy what is kept longer. One fetch at a time, so memory is bounded by its size.
   */
  read(partition: number, offset: bigint): Promise<KafkaRecord | null>;
  /** Idempotent. */
  close(): Promise<void>;
};

/** A broker sends a larger record batch all the same, alone. */
const fetchBytes = 1024 * 1024;

type Kept = { readonly partition: number; readonly records: ReadonlyMap<bigint, KafkaRecord> };

export const recordReader = (kafka: Kafka, topic: string): RecordReader => {
  const cluster = clusterOf(kafka);
  let queue: Promise<unknown> = Promise.resolve();
  let kept: Kept | null = null;

  const fetchAt = async (partition: number, offset: bigint): Promise<Kept | null> => {
    try {
      const fetched = await fetchFrom(cluster, topic, partition, offset, { maxBytes: fetchBytes });
      return { partition, records: new Map(fetched?.records.map((record) => [record.offset, record])) };
    } catch (error) {
      if (protocolErrorType(error) === 'OFFSET_OUT_OF_RANGE') return null;
      throw kafkaError(error, `reading ${topic}-${partition} at ${offset.toString()}`);
    }
  };

  const readOne = async (partition: number, offset: bigint): Promise<KafkaRecord | null> => {
    if (kept?.partition !== partition || !kept.records.has(offset)) {
      kept = null;
      kept = await fetchAt(partition, offset);
    }
    return kept?.records.get(offset) ?? null;
  };

  return {
    connect: async () => {
      try {
        await cluster.connect();
      } catch (error) {
        throw kafkaError(error, `connecting to read ${topic}`);
      }
    },
    read: (partition, offset) => {
      const reading = queue.then(() => readOne(partition, offset));
      queue = reading.catch(() => undefined);
      return reading;
    },
    close: async () => {
      await queue;
      await cluster.disconnect().catch(() => undefined);
    },
  };
};
