import type { Kafka } from 'kafkajs';
import { clusterOf, type Cluster } from './cluster.ts';
import { readFrom } from './delivery.ts';
import { kafkaError, protocolErrorType } from './errors.ts';
import { fetchFrom, readTopicOffsets } from './offsets.ts';
import type { Delivery } from '../source.ts';

/** Records and gaps of one partition from `from` up to, not including, `next`, which is above it. */
export type LogSlice = Pick<Delivery, 'from' | 'next' | 'records' | 'gaps'>;

export type LogReaderOptions = {
  readonly kafka: Kafka;
  readonly topic: string;
  /** Whether its cleanup policy is (also) compaction. */
  readonly isCompacted: boolean;
  /** Of one answer; a single larger batch still comes. Default 1 MiB. */
  readonly maxBytes?: number;
};

const defaultMaxBytes = 1024 * 1024;
const maxWaitMs = 100;
/** Error of a fetch from an offset that the log does not have: below its start, or beyond its end. */
const outOfRange = 'OFFSET_OUT_OF_RANGE';

/**
 * Reads a topic from anywhere, as a reader of committed records, without a group: nothing is committed and nobody is
 * disturbed. Reads are made one at a time, since kafkajs opens a connection for each fetch that finds none open yet.
 * Errors are PipelineErrors.
 */
export const logReader = ({ kafka, topic, isCompacted, maxBytes = defaultMaxBytes }: LogReaderOptions) => {
  const cluster = clusterOf(kafka);
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(doing: string, act: () => Promise<T>): Promise<T> => {
    const acted = turn.then(act).catch((error: unknown) => {
      throw kafkaError(error, doing);
    });
    turn = acted.catch(() => undefined);
    return acted;
  };

  return {
    isCompacted,
    connect: () => inTurn('connecting to Kafka', () => cluster.connect()),
    /** Where each partition begins and ends now; `end` is what a reader of committed records can reach. */
    bounds: () =>
      inTurn(`asking where ${topic} begins and ends`, async () => {
        const offsets = await readTopicOffsets(cluster, topic);
        return new Map([...offsets].map(([partition, { start, stableEnd }]) => [partition, { start, end: stableEnd }]));
      }),
    /** Null: nothing can be read from there on; it is the end, or below the start. */
    read: (partition: number, from: bigint): Promise<LogSlice | null> =>
      inTurn(`reading ${topic}-${partition}@${from.toString()}`, () =>
        fetchSlice(cluster, topic, partition, from, maxBytes),
      ),
    /** Idempotent. */
    close: async (): Promise<void> => {
      await turn;
      await cluster.disconnect().catch(() => undefined);
    },
  };
};

const fetchSlice = async (
  cluster: Cluster,
  topic: string,
  partition: number,
  from: bigint,
  maxBytes: number,
): Promise<LogSlice | null> => {
  try {
    const fetched = await fetchFrom(cluster, topic, partition, from, { maxBytes, maxWaitMs });
    return fetched && readFrom(from, fetched);
  } catch (error) {
    if (protocolErrorType(error) === outOfRange) return null;
    throw error;
  }
};
