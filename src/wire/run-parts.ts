/** What run.ts wires together: each part opened, pushed on the lifecycle, and told of to telemetry and readiness. */
import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import { kafkaAdmin } from '../consumers/kafka/admin.ts';
import { kafkaAppender } from '../consumers/kafka/appender.ts';
import { kafkaClient, type KafkaLog } from '../consumers/kafka/connection.ts';
import { kafkaSource } from '../consumers/kafka/source.ts';
import type { Source } from '../consumers/source.ts';
import type { Readiness } from '../http/readiness.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { readDepth } from '../redrive/depth.ts';
import { deadLetterTopic } from '../sinks/dead-letter-topic.ts';
import type { DeadLetters } from '../sinks/dead-letters.ts';
import { rootThread } from '../sinks/immudb/root-thread.ts';
import { immudbSink } from '../sinks/immudb/sink.ts';
import type { Sink } from '../sinks/sink.ts';
import { withRateLimit } from '../sinks/with-rate-limit.ts';
import type { Telemetry } from '../telemetry.ts';
import { depthMonitor } from '../telemetry/depth-monitor.ts';
import { lagMonitor } from '../telemetry/lag-monitor.ts';
import { connectLedger } from './connect.ts';
import { inspectSite } from './inspect-site.ts';
import type { starting } from './patience.ts';
import type { Proving } from './proving.ts';
import { toldLedger, toldSink, toldSource } from './told.ts';

export type RunOptions = {
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly lifecycle: Lifecycle;
  readonly kafkaLog: KafkaLog;
  readonly readiness: Pick<Readiness, 'meet' | 'miss' | 'warn'>;
  readonly proving?: Proving;
};

/** Both ends, and what stands at them: nothing is wired before they answered and are what the configuration says. */
export const openEnds = async ({ config, telemetry, lifecycle, readiness, kafkaLog }: RunOptions, starts: Starts) => {
  const { closeMs } = config.stop;
  const openLedger = () =>
    starts('opening the ledger', () => connectLedger(config, { onFlushFailed: telemetry.trustedStateNotKept }));
  const opened = await lifecycle.open('ledger', closeMs, openLedger, (made) => () => made.close(closeMs));
  const ledger = toldLedger(opened, telemetry);
  telemetry.trustBegan(ledger.trustedBy, ledger.trusted.current().id);
  readiness.meet('ledger-ready');

  const kafka = kafkaClient(config.kafka, kafkaLog);
  const makeAdmin = () => kafkaAdmin(kafka);
  const admin = await lifecycle.open('kafka admin', closeMs, makeAdmin, (made) => () => made.close());
  const site = await starts('connecting to Kafka', async () => {
    await admin.connect();
    return await inspectSite(config, ledger, admin);
  });
  for (const { topic, problem, advice } of site.warnings) telemetry.topicDoubtful(topic, problem, advice);
  readiness.meet('dead-letter-topic-ready');
  return { ledger, kafka, admin, site };
};

type Starts = ReturnType<typeof starting>;
export type Ends = Awaited<ReturnType<typeof openEnds>>;

export const openDeadLetters = async (
  { config, telemetry, lifecycle }: RunOptions,
  { kafka, site }: Ends,
): Promise<DeadLetters> => {
  const { topic, deadLetterTopic: dlq } = config.kafka;
  const makeAppender = () => kafkaAppender({ kafka, topic: dlq, tooLarge: 'DEAD_LETTER_TOO_LARGE' });
  const close = (made: ReturnType<typeof makeAppender>) => () => made.close();
  const appender = await lifecycle.open('dead-letter topic', config.stop.closeMs, makeAppender, close);
  const letters = deadLetterTopic({
    append: appender.append,
    sourceTopic: topic,
    partitions: site.deadLetterPartitions,
    maxRequestBytes: 900_000,
  });
  return {
    send: async (batch) => {
      const places = await letters.send(batch);
      telemetry.deadLettersSent(batch.length);
      return places;
    },
  };
};

export const openSink = async (
  { config, telemetry, lifecycle }: RunOptions,
  { ledger, site }: Ends,
  proving: Proving,
): Promise<Sink> => {
  const { closeMs } = config.stop;
  const hashing = await lifecycle.open('hashing', closeMs, rootThread, (thread) => () => thread.close());
  const unlimited = immudbSink({
    ledger,
    logs: { source: site.log.number, deadLetters: site.deadLetterLog.number },
    writerId: randomUUID(),
    limits: { maxBytes: config.batch.maxBytes },
    deadlineMs: config.ledger.deadlineMs,
    maxUnexplained: config.ledger.maxRetries,
    rootOf: hashing.rootOf,
    follow: proving.follow,
  });
  const limiting = new AbortController();
  const sink = withRateLimit(toldSink(unlimited, telemetry), {
    callsPerSecond: config.ledger.callsPerSecond,
    bytesPerSecond: config.ledger.bytesPerSecond,
    onWait: telemetry.rateLimited,
    signal: limiting.signal,
  });
  await lifecycle.open('rate limit', closeMs, ignore, () => () => limiting.abort(new Error('the process stops')));
  return sink;
};

export const makeSource = ({ config, telemetry, readiness }: RunOptions, { kafka, admin }: Ends): Source => {
  const { topic, group, ...settings } = config.kafka;
  const source = kafkaSource({
    kafka,
    topic,
    group,
    sessionTimeoutMs: settings.sessionTimeoutMs,
    heartbeatIntervalMs: settings.heartbeatIntervalMs,
    rebalanceTimeoutMs: settings.rebalanceTimeoutMs,
    fetchMaxBytes: settings.fetchMaxBytes,
    fetchMaxBytesPerPartition: settings.fetchMaxBytesPerPartition,
    fetchMinBytes: settings.fetchMinBytes,
    fetchMaxWaitMs: settings.fetchMaxWaitMs,
    bounds: (partitions) => admin.bounds(topic, partitions),
    happenings: {
      joined: () => undefined,
      heartbeatFailed: (error) => telemetry.retrying({ doing: 'heartbeat', attempt: 1, delayMs: 0, err: error }),
      restarting: (err, attempt, delayMs) => telemetry.retrying({ doing: 'reading Kafka', attempt, delayMs, err }),
      connected: (isConnected) => {
        if (isConnected) readiness.meet('kafka-joined');
        else readiness.miss('kafka-joined', 'not a member of the consumer group');
      },
    },
  });
  return toldSource(source, telemetry);
};

/** What dashboards watch and nothing waits for. */
export const openMonitors = async (
  { config, telemetry, lifecycle }: RunOptions,
  { ledger, admin }: Ends,
): Promise<void> => {
  const { closeMs } = config.stop;
  const { topic, group } = config.kafka;
  const watchLag = () =>
    lagMonitor({
      group,
      everyMs: config.lag.everyMs,
      telemetry,
      read: () => admin.readLag({ group, topic, withAge: true }),
    });
  await lifecycle.open('lag monitor', closeMs, watchLag, (monitor) => () => monitor.stop());
  const watchDepth = () =>
    depthMonitor({ everyMs: config.redrive.depthEveryMs, telemetry, read: (signal) => readDepth(ledger, signal) });
  await lifecycle.open('depth monitor', closeMs, watchDepth, (monitor) => () => monitor.stop());
};

const ignore = () => undefined;
