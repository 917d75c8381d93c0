import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../../errors.ts';
import { readCommitted, readUncommitted, type Cluster, type IsolationLevel } from './cluster.ts';
import type { Fetched } from './record-batch.ts';

/** Where each partition of a topic begins and ends. */
export type TopicOffsets = ReadonlyMap<number, PartitionOffsets>;
export type PartitionOffsets = {
  readonly start: bigint;
  /** First offset that a reader of committed records does not get yet (last stable offset). */
  readonly stableEnd: bigint;
  /** First offset that holds no record yet (high watermark). */
  readonly end: bigint;
};

const earliest = -2;
const latest = -1;
const leaderTries = 5;
const leaderRetryMs = 200;

/** One request for each leader and each of the three numbers; the ends are read last. */
export const readTopicOffsets = async (cluster: Cluster, topic: string): Promise<TopicOffsets> => {
  const starts = await listOffsets(cluster, topic, earliest, readUncommitted);
  const stableEnds = await listOffsets(cluster, topic, latest, readCommitted);
  const ends = await listOffsets(cluster, topic, latest, readUncommitted);
  const rows = [...starts].map(([partition, start]): [number, PartitionOffsets] => {
    const end = ends.get(partition) ?? start;
    return [partition, { start, end, stableEnd: stableEnds.get(partition) ?? end }];
  });
  return new Map(rows);
};

/** As `readTopicOffsets`, of one partition; KAFKA_TOPIC_MISSING if there is none. */
export const partitionOffsets = async (
  cluster: Cluster,
  topic: string,
  partition: number,
): Promise<PartitionOffsets> => {
  const offsets = (await readTopicOffsets(cluster, topic)).get(partition);
  if (offsets !== undefined) return offsets;
  throw new PipelineError('KAFKA_TOPIC_MISSING', `${topic} has no partition ${partition}`);
};

const listOffsets = (cluster: Cluster, topic: string, timestamp: number, isolationLevel: IsolationLevel) =>
  withLeaders(cluster, topic, async (partitionsByLeader) => {
    const ask = async (nodeId: number, partitions: readonly number[]): Promise<[number, bigint][]> => {
      const broker = await cluster.findBroker({ nodeId });
      const wanted = partitions.map((partition) => ({ partition, timestamp }));
      const answer = await broker.listOffsets({
        replicaId: -1,
        isolationLevel,
        topics: [{ topic, partitions: wanted }],
      });
      return answer.responses
        .flatMap((one) => one.partitions)
        .map(({ partition, offset }) => [partition, BigInt(offset)]);
    };
    const rows = await Promise.all([...partitionsByLeader].map(([nodeId, partitions]) => ask(nodeId, partitions)));
    return new Map(rows.flat().toSorted(([a], [b]) => a - b));
  });

/**
 * The timestamp (Unix milliseconds) of the first record at or above `offset`; null when there is none yet. The broker
 * sends the one record batch that holds it, however small the limit.
 */
export const timestampAt = async (
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: bigint,
): Promise<bigint | null> => {
  const fetched = await fetchFrom(cluster, topic, partition, offset, { maxBytes: 1 });
  return fetched?.records.find((record) => record.offset >= offset)?.timestamp ?? null;
};

/** `maxBytes`: a broker sends a larger record batch all the same, alone. `maxWaitMs`: for something to be there. */
export type FetchLimits = { readonly maxBytes: number; readonly maxWaitMs?: number };

/**
 * What one fetch by a reader of committed records returns from this offset on (its first batch may begin before it);
 * null when nothing is there. Rejects with kafkajs's errors; of those that mean a moved or missing leader only if they
 * stay.
 */
export const fetchFrom = (
  cluster: Cluster,
  topic: string,
  partition: number,
  offset: bigint,
  { maxBytes, maxWaitMs = 0 }: FetchLimits,
): Promise<Fetched | null> =>
  withLeaders(cluster, topic, async (leaders) => {
    const nodeId = leaderOf(leaders, partition);
    if (nodeId === undefined) throw leaderless(partition);
    const broker = await cluster.findBroker({ nodeId });
    const { responses } = await broker.fetch({
      isolationLevel: readCommitted,
      maxWaitTime: maxWaitMs,
      minBytes: 1,
      maxBytes,
      topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }],
    });
    const [standIn] = responses.flatMap((one) => one.partitions).flatMap((one) => one.messages);
    return standIn?.fetched ?? null;
  });

const leaderless = (partition: number): Error =>
  Object.assign(new Error(`partition ${partition} has no leader`), { type: 'LEADER_NOT_AVAILABLE', retriable: true });

type PartitionsByLeader = ReadonlyMap<number, readonly number[]>;

const leaderOf = (leaders: PartitionsByLeader, partition: number): number | undefined =>
  [...leaders].find(([, partitions]) => partitions.includes(partition))?.[0];

/** Leaders move: on such an error the metadata is read anew, a few times. */
const withLeaders = async <T>(
  cluster: Cluster,
  topic: string,
  ask: (leaders: PartitionsByLeader) => Promise<T>,
): Promise<T> => {
  await cluster.addTargetTopic(topic);
  for (let tries = 1; ; tries += 1) {
    try {
      await cluster.refreshMetadataIfNecessary();
      return await ask(leadersOf(cluster, topic));
    } catch (error) {
      if (tries === leaderTries || (error as { retriable?: boolean }).retriable !== true) throw error;
      await sleep(leaderRetryMs);
      await cluster.refreshMetadata();
    }
  }
};

const leadersOf = (cluster: Cluster, topic: string): PartitionsByLeader => {
  const partitions = cluster.findTopicPartitionMetadata(topic);
  const byLeader = Map.groupBy(partitions, ({ leader }) => leader);
  return new Map([...byLeader].map(([leader, members]) => [leader, members.map(({ partitionId }) => partitionId)]));
};
