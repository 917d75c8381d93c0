import type { Kafka } from 'kafkajs';
import { kafkaAppender } from './appender.ts';
import { clusterOf } from './cluster.ts';
import { readFrom } from './delivery.ts';
import { kafkaError } from './errors.ts';
import { fetchFrom, partitionOffsets } from './offsets.ts';

/** A topic whose one partition (0) holds small texts that are kept for ever, read by offset and without a group. */
export type NoteTopic = {
  /** Resolves with the offset when all in-sync replicas have it. A rejected append may have happened all the same. */
  append(value: string): Promise<bigint>;
  bounds(): Promise<{ readonly start: bigint; readonly end: bigint }>;
  /** What lies at `from` and after it, some of it: the next offset to read is after the last. Empty at the end. */
  read(from: bigint): Promise<readonly NoteRecord[]>;
  /** Idempotent. */
  close(): Promise<void>;
};

export type NoteRecord = { readonly offset: bigint; readonly value: Buffer | null };

const partition = 0;
const fetchMaxBytes = 1024 * 1024;

/** Connects when it is first used. Errors are PipelineErrors. */
export const noteTopic = (kafka: Kafka, topic: string): NoteTopic => {
  const cluster = clusterOf(kafka);
  const appender = kafkaAppender({ kafka, topic, tooLarge: 'KAFKA_REFUSED' });
  let connected: Promise<void> | null = null;

  const connect = (): Promise<void> => {
    connected ??= cluster.connect().catch((error: unknown) => {
      connected = null;
      throw error;
    });
    return connected;
  };
  const doing = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    try {
      await connect();
      return await act();
    } catch (error) {
      throw kafkaError(error, what);
    }
  };

  return {
    append: (value) => appender.append(partition, [{ key: null, value: Buffer.from(value), headers: [] }]),
    bounds: () =>
      doing(`asking where ${topic} ends`, async () => {
        const { start, stableEnd } = await partitionOffsets(cluster, topic, partition);
        return { start, end: stableEnd };
      }),
    read: (from) =>
      doing(`reading ${topic} from ${from.toString()}`, async () => {
        const fetched = await fetchFrom(cluster, topic, partition, from, { maxBytes: fetchMaxBytes });
        const { records, gaps } = readFrom(from, fetched);
        const nothing = gaps.map(({ to }) => ({ offset: to - 1n, value: null }));
        return [...records, ...nothing].sort((a, b) => Number(a.offset - b.offset));
      }),
    close: async () => {
      await appender.close();
      await cluster.disconnect();
    },
  };
};
