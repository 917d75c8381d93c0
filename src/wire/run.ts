import { randomUUID } from 'node:crypto';
import { scheduler, setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../config.ts';
import { batcher } from '../consumers/batcher.ts';
import { kafkaAdmin } from '../consumers/kafka/admin.ts';
import { kafkaAppender } from '../consumers/kafka/appender.ts';
import { kafkaClient, type KafkaLog } from '../consumers/kafka/connection.ts';
import { kafkaSource } from '../consumers/kafka/source.ts';
import { PipelineError } from '../errors.ts';
import type { Readiness } from '../http/readiness.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { breaker } from '../pipeline/breaker.ts';
import { assignment } from '../pipeline/assignment.ts';
import { pipeline, type Pipeline } from '../pipeline/deliver.ts';
import type { Happenings } from '../pipeline/happenings.ts';
import type { Retrying } from '../pipeline/retrying.ts';
import { sameContent } from '../schemas/canonical.ts';
import { valueSha256 } from '../schemas/record-hash.ts';
import { deadLetterTopic } from '../sinks/dead-letter-topic.ts';
import { rootThread } from '../sinks/immudb/root-thread.ts';
import { immudbSink } from '../sinks/immudb/sink.ts';
import { withRateLimit } from '../sinks/with-rate-limit.ts';
import { retrying } from '../sinks/with-retry.ts';
import { readDepth } from '../redrive/depth.ts';
import type { Telemetry } from '../telemetry.ts';
import { depthMonitor } from '../telemetry/depth-monitor.ts';
import { lagMonitor } from '../telemetry/lag-monitor.ts';
import { publishCheckpoints } from './checkpoints.ts';
import { connectLedger } from './connect.ts';
import { inspectSite } from './inspect-site.ts';
import { recordDecoder } from './registry.ts';
import { provingAll, type Proving } from './proving.ts';
import { toldLedger, toldSink, toldSource } from './told.ts';

export type RunOptions = {
  readonly config: Config;
  readonly telemetry: Telemetry;
  readonly lifecycle: Lifecycle;
  readonly kafkaLog: KafkaLog;
  readonly readiness: Pick<Readiness, 'meet' | 'miss' | 'warn'>;
  readonly proving?: Proving;
};

/** How long a log may go unrecognised while its records are stored, and how often a held partition looks again. */
const recogniseEveryMs = 10_000;
const lookLateMs = 3000;
const lookEveryMs = 2_000;
/** With the time that a proof takes, it is made at least once a second. */
const proveEveryMs = 750;

/**
 * Wires and starts the pipeline. Resolves when it consumes, with a promise that rejects with what halts it; rejects
 * with what prevented the start. What was opened is pushed on the lifecycle as it is opened.
 */
export const startPipeline = async (options: RunOptions): Promise<{ halted: Promise<never> }> => {
  const { config, telemetry, lifecycle, readiness, proving = provingAll } = options;
  readiness.meet('not-retrying');
  readiness.meet('no-partition-held');
  const waiting = new Set<string>();
  const tries = retrying({
    initialMs: config.ledger.backoffInitialMs,
    maxMs: config.ledger.backoffMaxMs,
    onRetry: (again) => {
      waiting.add(again.doing);
      readiness.miss('not-retrying', `${again.doing}: ${codeOf(again.err)}`);
      telemetry.retrying(again);
    },
    onRecovered: telemetry.recovered,
  });
  // Whatever ends the waiting (success, another error, an assignment that is over), nobody waits any more.
  const retry: Retrying = async (doing, operation, signal) => {
    try {
      return await tries(doing, operation, signal);
    } finally {
      waiting.delete(doing);
      if (waiting.size === 0) readiness.meet('not-retrying');
    }
  };
  const starting = AbortSignal.timeout(config.ledger.startTimeoutMs);
  const { closeMs } = config.stop;
  const openLedger = () =>
    starts('opening the ledger', retry, starting, () =>
      connectLedger(config, { onFlushFailed: telemetry.trustedStateNotKept }),
    );
  const opened = await lifecycle.open('ledger', closeMs, openLedger, (made) => () => made.close(closeMs));
  const ledger = toldLedger(opened, telemetry);
  telemetry.trustBegan(ledger.trustedBy, ledger.trusted.current().id);
  readiness.meet('ledger-ready');

  const kafka = kafkaClient(config.kafka, options.kafkaLog);
  const makeAdmin = () => kafkaAdmin(kafka);
  const admin = await lifecycle.open('kafka admin', closeMs, makeAdmin, (opened) => () => opened.close());
  const site = await starts('connecting to Kafka', retry, starting, async () => {
    await admin.connect();
    return await inspectSite(config, ledger, admin);
  });
  for (const { topic, problem, advice } of site.warnings) telemetry.topicDoubtful(topic, problem, advice);

  readiness.meet('dead-letter-topic-ready');
  const { topic, deadLetterTopic: dlq, group } = config.kafka;
  const makeAppender = () => kafkaAppender({ kafka, topic: dlq, tooLarge: 'DEAD_LETTER_TOO_LARGE' });
  const appender = await lifecycle.open('dead-letter topic', closeMs, makeAppender, (made) => () => made.close());
  const letters = deadLetterTopic({
    append: appender.append,
    sourceTopic: topic,
    partitions: site.deadLetterPartitions,
    maxRequestBytes: 900_000,
  });
  const deadLetters = {
    send: async (batch: Parameters<typeof letters.send>[0]) => {
      const places = await letters.send(batch);
      telemetry.deadLettersSent(batch.length);
      return places;
    },
  };
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

  const held = new Map<number, string>();
  const tellHeld = () => {
    if (held.size === 0) readiness.meet('no-partition-held');
    else readiness.miss('no-partition-held', [...held].map(([partition, why]) => `${partition}: ${why}`).join('; '));
  };
  const happenings: Happenings = {
    ...telemetry,
    assigned: (epoch, partitions) => {
      held.clear();
      tellHeld();
      // Of all members one at a time has this partition: it alone publishes.
      checkpoints.own(partitions.includes(0));
      telemetry.assigned(epoch, partitions);
    },
    letGo: () => {
      checkpoints.own(false);
      telemetry.letGo();
    },
    partitionHeld: (partition, tripped) => {
      const why = tripped === null ? 'accept the loss (immutrail gap accept) or not' : `${tripped} (immutrail breaker)`;
      held.set(partition, why);
      tellHeld();
      telemetry.partitionHeld(partition, tripped);
    },
    partitionReleased: (partition) => {
      held.delete(partition);
      tellHeld();
      telemetry.partitionReleased(partition);
    },
    failed: (error) => running.failed(error instanceof Error ? error : new Error(String(error))),
  };
  const untold = kafkaSource({
    kafka,
    topic,
    group,
    sessionTimeoutMs: config.kafka.sessionTimeoutMs,
    heartbeatIntervalMs: config.kafka.heartbeatIntervalMs,
    rebalanceTimeoutMs: config.kafka.rebalanceTimeoutMs,
    fetchMaxBytes: config.kafka.fetchMaxBytes,
    fetchMaxBytesPerPartition: config.kafka.fetchMaxBytesPerPartition,
    fetchMinBytes: config.kafka.fetchMinBytes,
    fetchMaxWaitMs: config.kafka.fetchMaxWaitMs,
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
  const source = toldSource(untold, telemetry);
  const queue = batcher(config.batch);
  telemetry.watch(() => ({ queue: queue.queued(), trustedTx: ledger.trusted.current().id }));
  const now = () => performance.now();
  const trips = breaker(config.breaker);
  const lanes = assignment({
    breaker: trips,
    source,
    sink,
    batcher: queue,
    retrying: retry,
    happenings,
    sha256: (record) => valueSha256(record.value),
    clusterId: site.log.clusterId,
    maxLoss: BigInt(config.gaps.maxLoss),
    recogniseEveryMs,
    lookEveryMs,
    now,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
  });
  const running: Pipeline = pipeline({
    source,
    sink,
    deadLetters,
    batcher: queue,
    assignment: lanes,
    retrying: retry,
    happenings,
    breaker: trips,
    inspect: { ...recordDecoder(config), sha256: valueSha256 },
    isSameContent: sameContent,
    maxEvents: config.batch.maxEvents,
    now,
    breathe: () => scheduler.yield(),
  });

  const watchLedger = () =>
    proving.watch({
      look: async () => {
        await sink.open([]);
        await ledger.advance();
      },
      readiness,
      failed: (error) => running.failed(error),
      everyMs: proveEveryMs,
      lateMs: lookLateMs,
    });
  await lifecycle.open('ledger watch', closeMs, watchLedger, (watch) => () => watch.stop());
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
  const halted = Promise.withResolvers<never>();
  halted.promise.catch(() => undefined);
  const { fetchMs, writeMs, commitMs } = config.stop;
  // Closed in the reverse order: no more fetches, finish the write under way, commit and leave the group.
  await lifecycle.open('group membership', commitMs, ignore, () => () => source.stop());
  const halt = (error: Error) => running.failed(error);
  const checkpoints = await publishCheckpoints({ config, kafka, ledger, lifecycle, telemetry, readiness, halt });
  await lifecycle.open(
    'writing',
    writeMs,
    () => void running.run().catch(halted.reject),
    () => () => running.stop(),
  );
  await lifecycle.open(
    'fetching',
    fetchMs,
    () => source.start(running),
    () => () => source.quiesce(),
  );
  return { halted: halted.promise };
};

const ignore = () => undefined;

const codeOf = (error: unknown) => (error instanceof PipelineError ? error.code : String(error));

/** Tries until the start time-out; what is then still missing is the error. */
const starts = async <T>(doing: string, retry: Retrying, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
  let met: unknown;
  const noted = async () => {
    try {
      return await work();
    } catch (error) {
      met = error;
      throw error;
    }
  };
  try {
    return await retry(doing, noted, signal);
  } catch (error) {
    throw signal.aborted && met !== undefined ? met : error;
  }
};
