import type { Kafka } from 'kafkajs';
import type { KafkaRecord } from '../../schemas/record.ts';
import { clusterOf, readCommitted } from './cluster.ts';
import { toRecord } from './delivery.ts';
import { kafkaError, protocolErrorType } from './errors.ts';
import { withLeaders } from './offsets.ts';
import type { RawRecord } from './record-batch.ts';

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

type Fetched = { readonly partition: number; readonly records: ReadonlyMap<bigint, RawRecord> };

export const recordReader = (kafka: Kafka, topic: string): RecordReader => {
  const cluster = clusterOf(kafka);
  let queue: Promise<unknown> = Promise.resolve();
  let kept: Fetched | null = null;

  const fetchFrom = (partition: number, offset: bigint): Promise<Fetched> =>
    withLeaders(cluster, topic, async (partitionsByLeader) => {
      const [nodeId] = [...partitionsByLeader].find(([, members]) => members.includes(partition)) ?? [];
      if (nodeId === undefined) return { partition, records: new Map() };
      const broker = await cluster.findBroker({ nodeId });
      const { responses } = await broker.fetch({
        isolationLevel: readCommitted,
        maxWaitTime: 0,
        minBytes: 1,
        maxBytes: fetchBytes,
        topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: fetchBytes }] }],
      });
      const messages = responses.flatMap((one) => one.partitions).flatMap((one) => one.messages);
      return { partition, records: new Map(messages.map((message) => [BigInt(message.offset), message])) };
    });

  const readOne = async (partition: number, offset: bigint): Promise<KafkaRecord | null> => {
    if (kept?.partition !== partition || !kept.records.has(offset)) {
      kept = null;
      kept = await fetchFrom(partition, offset).catch((error: unknown) => {
        if (protocolErrorType(error) === 'OFFSET_OUT_OF_RANGE') return null;
        throw kafkaError(error, `reading ${topic}-${partition} at ${offset.toString()}`);
      });
    }
    const raw = kept?.records.get(offset);
    return raw === undefined || raw.isControlRecord || raw.isEmptyBatch === true
      ? null
      : toRecord(raw, partition, offset);
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
