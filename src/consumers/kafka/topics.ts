/** What the two topics should look like: made so by `init`, compared by `run`. Pure. */

export type TopicPlan = {
  readonly topic: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configEntries: { readonly name: string; readonly value: string }[];
};

export type TopicPlans = {
  readonly source: TopicPlan;
  readonly deadLetters: TopicPlan;
  readonly checkpoints?: TopicPlan;
};

const KiB = 1024;
/** Kafka's default for max.message.bytes: a record of 1 MiB and the batch around it. */
const defaultMaxMessageBytes = 1_048_588;
/** What a dead letter is larger than its record: our headers (message at most 4 KiB) and room to spare. */
const deadLetterHeadroomBytes = 64 * KiB;
const dayMs = 24 * 60 * 60 * 1000;
const sourceRetentionMs = 30 * dayMs;
const defaultPartitions = 8;
const wantedReplicas = 3;

export const planTopics = (options: {
  readonly topic: string;
  readonly deadLetterTopic: string;
  /** Left out: not planned. */
  readonly checkpointTopic?: string;
  /** Brokers of the cluster: a topic has at most three replicas. */
  readonly brokers: number;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly maxMessageBytes?: number;
}): TopicPlans => {
  const numPartitions = options.partitions ?? defaultPartitions;
  const replicationFactor = options.replicationFactor ?? Math.min(wantedReplicas, options.brokers);
  const maxMessageBytes = options.maxMessageBytes ?? defaultMaxMessageBytes;
  const inSync = String(Math.max(1, replicationFactor - 1));
  const plan = (topic: string, configs: Readonly<Record<string, string>>): TopicPlan => ({
    topic,
    numPartitions,
    replicationFactor,
    configEntries: Object.entries({ 'cleanup.policy': 'delete', 'min.insync.replicas': inSync, ...configs }).map(
      ([name, value]) => ({ name, value }),
    ),
  });
  return {
    source: plan(options.topic, {
      'retention.ms': String(sourceRetentionMs),
      'retention.bytes': '-1',
      'max.message.bytes': String(maxMessageBytes),
    }),
    deadLetters: plan(options.deadLetterTopic, {
      'retention.ms': '-1',
      'retention.bytes': '-1',
      'max.message.bytes': String(maxMessageBytes + 2 * deadLetterHeadroomBytes),
    }),
    // One partition, since each checkpoint names the one before; kept for ever, whatever the broker keeps by default.
    ...(options.checkpointTopic !== undefined && {
      checkpoints: {
        ...plan(options.checkpointTopic, {
          'retention.ms': '-1',
          'retention.bytes': '-1',
          'max.message.bytes': String(defaultMaxMessageBytes),
        }),
        numPartitions: 1,
      },
    }),
  };
};

export type TopicFacts = {
  readonly topic: string;
  readonly partitions: number;
  readonly replicas: number;
  readonly configs: ReadonlyMap<string, string>;
};

/** `error`: records would be lost or stuck, do not run. `warn`: they could be, under circumstances that are named. */
export type TopicProblem = {
  readonly severity: 'error' | 'warn';
  readonly topic: string;
  readonly problem: string;
  readonly advice: string;
};

export type TopicNames = {
  readonly topic: string;
  readonly deadLetterTopic: string;
  /** Left out: nothing is published to it. */
  readonly checkpointTopic?: string;
};

/** Every problem of the topics as they are; null for a topic that does not exist. */
export const topicProblems = (
  names: TopicNames,
  source: TopicFacts | null,
  deadLetters: TopicFacts | null,
  checkpoints: TopicFacts | null = null,
): TopicProblem[] => [
  ...(names.checkpointTopic === undefined ? [] : checkpointProblems(names.checkpointTopic, checkpoints)),
  ...(source ? sourceProblems(source) : [missing(names.topic)]),
  ...(deadLetters ? deadLetterProblems(deadLetters) : [missing(names.deadLetterTopic)]),
  ...(source && deadLetters ? sizeProblems(source, deadLetters) : []),
];

const missing = (topic: string): TopicProblem => ({
  severity: 'error',
  topic,
  problem: 'it does not exist, or this user may not see it',
  advice: 'run `immutrail init`',
});

const setting = ({ configs }: TopicFacts, name: string): string => configs.get(name) ?? '';
const isCompacted = (facts: TopicFacts): boolean => setting(facts, 'cleanup.policy').split(',').includes('compact');
const set = (name: string, value: string): string => `set ${name}=${value}`;

const sourceProblems = (facts: TopicFacts): TopicProblem[] => {
  const warn = warningsOf(facts);
  const retentionMs = Number(setting(facts, 'retention.ms'));
  return [
    ...warn(
      isCompacted(facts),
      'it is compacted: older events with the same key vanish unread',
      set('cleanup.policy', 'delete'),
    ),
    ...warn(
      retentionMs >= 0 && retentionMs < dayMs,
      `events are deleted after ${retentionMs} ms, read or not: an outage of that length loses them`,
      set('retention.ms', String(sourceRetentionMs)),
    ),
    ...warn(
      Number(setting(facts, 'retention.bytes')) >= 0,
      `a partition keeps ${setting(facts, 'retention.bytes')} bytes: a burst deletes events that are not read yet`,
      set('retention.bytes', '-1'),
    ),
    ...replicationProblems(facts),
  ];
};

const deadLetterProblems = (facts: TopicFacts): TopicProblem[] => {
  const warn = warningsOf(facts);
  const compacted: TopicProblem[] = isCompacted(facts)
    ? [
        {
          severity: 'error',
          topic: facts.topic,
          problem: 'it is compacted: dead letters with the same key vanish',
          advice: set('cleanup.policy', 'delete'),
        },
      ]
    : [];
  return [
    ...compacted,
    ...warn(
      Number(setting(facts, 'retention.ms')) >= 0,
      `dead letters are deleted after ${setting(facts, 'retention.ms')} ms, looked at or not`,
      set('retention.ms', '-1'),
    ),
    ...warn(
      Number(setting(facts, 'retention.bytes')) >= 0,
      `a partition keeps ${setting(facts, 'retention.bytes')} bytes of dead letters`,
      set('retention.bytes', '-1'),
    ),
    ...replicationProblems(facts),
  ];
};

/** Only warnings: what goes wrong with checkpoints holds no event up. */
const checkpointProblems = (topic: string, facts: TopicFacts | null): TopicProblem[] => {
  if (facts === null) return [{ ...missing(topic), severity: 'warn' }];
  const warn = warningsOf(facts);
  return [
    ...warn(isCompacted(facts), 'it is compacted: checkpoints vanish', set('cleanup.policy', 'delete')),
    ...warn(
      Number(setting(facts, 'retention.ms')) >= 0,
      `checkpoints are deleted after ${setting(facts, 'retention.ms')} ms`,
      set('retention.ms', '-1'),
    ),
    ...warn(
      Number(setting(facts, 'retention.bytes')) >= 0,
      `it keeps ${setting(facts, 'retention.bytes')} bytes of checkpoints`,
      set('retention.bytes', '-1'),
    ),
    ...warn(facts.partitions > 1, 'only its partition 0 is used', 'nothing, or make it with one partition'),
    ...replicationProblems(facts),
  ];
};

const replicationProblems = (facts: TopicFacts): TopicProblem[] => {
  const warn = warningsOf(facts);
  return [
    ...warn(facts.replicas < 2, 'it has one replica: a lost disk loses it', 'use a replication factor of 3'),
    ...warn(
      facts.replicas > 2 && Number(setting(facts, 'min.insync.replicas')) < 2,
      'one replica is enough for an acknowledgement: its broker may take records with it',
      set('min.insync.replicas', '2'),
    ),
    ...warn(
      setting(facts, 'unclean.leader.election.enable') === 'true',
      'a replica that lags may become leader: records that were read vanish (the pipeline halts then)',
      set('unclean.leader.election.enable', 'false'),
    ),
  ];
};

const sizeProblems = (source: TopicFacts, deadLetters: TopicFacts): TopicProblem[] => {
  const [from, to] = [source, deadLetters].map((facts) => Number(setting(facts, 'max.message.bytes')));
  if (from === undefined || to === undefined || to >= from + deadLetterHeadroomBytes) return [];
  return [
    {
      severity: to > from ? 'warn' : 'error',
      topic: deadLetters.topic,
      problem: `it takes records of ${to} bytes, ${source.topic} of ${from}: a large record at fault could not be dead-lettered`,
      advice: set('max.message.bytes', String(from + 2 * deadLetterHeadroomBytes)),
    },
  ];
};

const warningsOf =
  ({ topic }: TopicFacts) =>
  (is: boolean, problem: string, advice: string): TopicProblem[] =>
    is ? [{ severity: 'warn', topic, problem, advice }] : [];
