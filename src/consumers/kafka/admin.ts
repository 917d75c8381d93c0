import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin, type Kafka } from 'kafkajs';
import { PipelineError } from '../../errors.ts';
import type { TopicBounds } from '../source.ts';
import { clusterOf, type Cluster } from './cluster.ts';
import { kafkaError } from './errors.ts';
import { readTopicOffsets, timestampAt, type TopicOffsets } from './offsets.ts';
import { toAcl, type Right } from './rights.ts';
import { planTopics, topicProblems, type TopicFacts, type TopicNames, type TopicProblem } from './topics.ts';

/** One partition of a group's topic. */
export type LagRow = {
  readonly topic: string;
  readonly partition: number;
  readonly start: bigint;
  /** Last stable offset: what a reader of committed records can reach. */
  readonly end: bigint;
  /** High watermark: with a transaction open it is above `end`. */
  readonly highWatermark: bigint;
  /** Null when the group never committed there. */
  readonly committed: bigint | null;
  /** What came with the commit: `tx=<id>`. */
  readonly metadata: string | null;
  /** Unix milliseconds of the oldest record that is not committed; null when there is none, or it was not asked for. */
  readonly oldestWaitingMs: bigint | null;
};

export type KafkaAdmin = ReturnType<typeof kafkaAdmin>;

const boundsTries = 5;
const boundsRetryMs = 100;
const topicTimeoutMs = 15_000;

/** Everything that is neither reading nor writing records. Errors are PipelineErrors. */
export const kafkaAdmin = (kafka: Kafka) => {
  const admin = kafka.admin();
  const cluster = clusterOf(kafka);
  const doing = async <T>(what: string, act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      throw kafkaError(error, what);
    }
  };
  return {
    connect: () =>
      doing('connecting to Kafka', async () => {
        await admin.connect();
        await cluster.connect();
      }),

    /** Idempotent. */
    close: async (): Promise<void> => {
      await Promise.allSettled([admin.disconnect(), cluster.disconnect()]);
    },

    clusterId: () => doing('asking for the cluster id', async () => (await admin.describeCluster()).clusterId),

    /** Makes what does not exist; resolves with the names of the topics that were made. */
    createTopics: (options: Omit<Parameters<typeof planTopics>[0], 'brokers'>) =>
      doing('making the topics', () => createTopics(admin, options)),

    /** What is wrong with the topics, worst first. */
    inspectTopics: (names: TopicNames): Promise<readonly TopicProblem[]> =>
      doing('looking at the topics', async () => {
        const [source, deadLetters] = [
          await topicFacts(admin, names.topic),
          await topicFacts(admin, names.deadLetterTopic),
        ];
        const checkpoints = names.checkpointTopic === undefined ? null : await topicFacts(admin, names.checkpointTopic);
        const problems = topicProblems(names, source, deadLetters, checkpoints);
        return problems.toSorted((a, b) => a.severity.localeCompare(b.severity));
      }),

    partitions: (topic: string) =>
      doing(`asking for the partitions of ${topic}`, async () => (await readTopicOffsets(cluster, topic)).size),

    /**
     * Two equal reads of the cluster id and of where the partitions begin; ends are high watermarks of the later one.
     * Rejects with KAFKA_UNAVAILABLE when the reads never agree.
     */
    bounds: (topic: string, partitions: readonly number[]): Promise<TopicBounds> =>
      doing(`asking where ${topic} begins and ends`, () => readBounds(admin, cluster, topic, partitions)),

    /** Commits are read before the ends, so that no lag comes out negative. `withAge` fetches one batch for each partition that lags. */
    readLag: (of: {
      readonly group: string;
      readonly topic: string;
      readonly withAge?: boolean;
    }): Promise<readonly LagRow[]> =>
      doing(`reading the lag of ${of.group} on ${of.topic}`, () => readLag(admin, cluster, of)),

    createAcls: (user: string, rights: readonly Right[]) =>
      doing(`giving rights to ${user}`, () => admin.createAcls({ acl: toAcl(user, rights) })),

    /** Deletes the records below `next` of each partition. */
    deleteRecords: (topic: string, partitions: readonly { readonly partition: number; readonly next: bigint }[]) =>
      doing(`deleting records of ${topic}`, () =>
        admin.deleteTopicRecords({
          topic,
          partitions: partitions.map(({ partition, next }) => ({ partition, offset: String(next) })),
        }),
      ),

    deleteTopics: (topics: readonly string[]) =>
      doing(`deleting ${topics.join(', ')}`, () =>
        admin.deleteTopics({ topics: [...topics], timeout: topicTimeoutMs }),
      ),
  };
};

const createTopics = async (
  admin: Admin,
  options: Omit<Parameters<typeof planTopics>[0], 'brokers'>,
): Promise<readonly string[]> => {
  const { brokers } = await admin.describeCluster();
  const known = new Set(await admin.listTopics());
  const plans = Object.values(planTopics({ ...options, brokers: brokers.length }));
  const created: string[] = [];
  for (const plan of plans.filter(({ topic }) => !known.has(topic))) {
    // False: somebody made it at the same time.
    if (await admin.createTopics({ topics: [plan], waitForLeaders: false, timeout: topicTimeoutMs }))
      created.push(plan.topic);
    await untilLed(admin, plan.topic);
  }
  return created;
};

/** kafkajs's own wait gives up when a broker that has not heard of the topic yet is the one that answers. */
const untilLed = async (admin: Admin, topic: string): Promise<void> => {
  for (const deadline = performance.now() + topicTimeoutMs; ;) {
    const known = await admin.fetchTopicMetadata({ topics: [topic] }).catch((error: unknown) => error);
    if (!(known instanceof Error) && isLed(known as Awaited<ReturnType<Admin['fetchTopicMetadata']>>)) return;
    if (performance.now() > deadline) throw kafkaError(known, `waiting for leaders of ${topic}`);
    await sleep(boundsRetryMs);
  }
};

const isLed = ({ topics }: Awaited<ReturnType<Admin['fetchTopicMetadata']>>): boolean =>
  topics.length > 0 &&
  topics.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0));

const topicFacts = async (admin: Admin, topic: string): Promise<TopicFacts | null> => {
  if (!(await admin.listTopics()).includes(topic)) return null;
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics.flatMap((one) => one.partitions);
  return {
    topic,
    partitions: partitions.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    configs: await topicConfigs(admin, topic),
  };
};

const topicConfigs = async (admin: Admin, topic: string): Promise<ReadonlyMap<string, string>> => {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
  });
  const entries = resources.flatMap((resource) => resource.configEntries);
  return new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
};

type Bounds = { readonly clusterId: string; readonly offsets: TopicOffsets };

const readBounds = async (
  admin: Admin,
  cluster: Cluster,
  topic: string,
  partitions: readonly number[],
): Promise<TopicBounds> => {
  const read = async (): Promise<Bounds> => ({
    offsets: await readTopicOffsets(cluster, topic),
    clusterId: (await admin.describeCluster()).clusterId,
  });
  const cleanup = (await topicConfigs(admin, topic)).get('cleanup.policy') ?? '';
  let earlier = await read();
  for (let tries = 0; tries < boundsTries; tries += 1) {
    const later = await read();
    if (agree(earlier, later, partitions)) {
      return {
        clusterId: later.clusterId,
        isCompacted: cleanup.split(',').includes('compact'),
        partitions: new Map(partitions.map((partition) => [partition, boundsOf(later, partition)])),
      };
    }
    earlier = later;
    await sleep(boundsRetryMs);
  }
  throw new PipelineError('KAFKA_UNAVAILABLE', `two reads of the bounds of ${topic} never agreed`);
};

const boundsOf = ({ offsets }: Bounds, partition: number) => {
  const found = offsets.get(partition);
  if (!found) throw new PipelineError('KAFKA_UNAVAILABLE', `partition ${partition} is not in the metadata`);
  return { start: found.start, end: found.end };
};

/** Ends may grow between two reads; they never shrink on one log. */
const agree = (earlier: Bounds, later: Bounds, partitions: readonly number[]): boolean =>
  earlier.clusterId === later.clusterId &&
  partitions.every((partition) => {
    const [before, after] = [earlier.offsets.get(partition), later.offsets.get(partition)];
    return before !== undefined && before.start === after?.start && before.end <= after.end;
  });

const readLag = async (
  admin: Admin,
  cluster: Cluster,
  { group, topic, withAge = false }: { readonly group: string; readonly topic: string; readonly withAge?: boolean },
): Promise<readonly LagRow[]> => {
  const commits = (await admin.fetchOffsets({ groupId: group, topics: [topic] })).flatMap((one) => one.partitions);
  const committed = new Map(commits.map((one) => [one.partition, one]));
  const offsets = await readTopicOffsets(cluster, topic);
  const row = async ([partition, { start, stableEnd, end }]: [
    number,
    { start: bigint; stableEnd: bigint; end: bigint },
  ]): Promise<LagRow> => {
    const commit = committed.get(partition);
    // -1: never committed. kafkajs itself commits -1 or -2 after an offset was out of range: not a position either.
    const position = commit && BigInt(commit.offset) >= 0n ? BigInt(commit.offset) : null;
    const from = position === null || position < start ? start : position;
    return {
      topic,
      partition,
      start,
      end: stableEnd,
      highWatermark: end,
      committed: position,
      metadata: commit?.metadata ?? null,
      oldestWaitingMs: withAge && from < stableEnd ? await timestampAt(cluster, topic, partition, from) : null,
    };
  };
  // One after the other: kafkajs opens a connection of its own for fetches, and requests that find it not yet open open
  // one each. All but the last are forgotten, never closed, and keep the process alive.
  const rows: LagRow[] = [];
  for (const partition of offsets) rows.push(await row(partition));
  return rows;
};
