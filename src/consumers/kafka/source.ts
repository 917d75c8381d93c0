import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs';
import { asPipelineError, PipelineError } from '../../errors.ts';
import type { CommittedOffset, Source, SourceHandler, TopicBounds } from '../source.ts';
import { offsetCommitter } from './committer.ts';
import { toDelivery, type FetchedBatch } from './delivery.ts';
import { isGroupError, kafkaError } from './errors.ts';
import { onFetchError } from './patches.ts';

export type KafkaSourceOptions = {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxBytesPerPartition: number;
  readonly fetchMinBytes: number;
  readonly fetchMaxWaitMs: number;
  /** Where the topic's partitions begin and end, and what is known of the topic. */
  readonly bounds: (partitions: readonly number[]) => Promise<TopicBounds>;
  readonly happenings: SourceHappenings;
};

export type SourceHappenings = {
  joined(epoch: number, partitions: readonly number[]): void;
  heartbeatFailed(error: Error): void;
  /** The consumer died of this and is built anew after `delayMs`. */
  restarting(error: PipelineError, attempt: number, delayMs: number): void;
  /** The consumer is a member of its group and fetching, or not. */
  connected(isConnected: boolean): void;
};

const maxRestartDelayMs = 15_000;

/**
 * A consumer group member on kafkajs. What kafkajs does by itself and what this file does instead: it hands over every
 * batch, control-only ones too (patches.ts); positions move by what `deliver` resolved; membership is kept alive by one
 * pump while deliveries are pending; nothing but group errors ever leaves `eachBatch`; a consumer that died is built
 * anew here, since kafkajs restarts some deaths for ever and others never.
 */
export const kafkaSource = (options: KafkaSourceOptions): Source => {
  const { topic, happenings } = options;
  let handler: SourceHandler | null = null;
  let consumer: Consumer | null = null;
  let epoch = 0;
  let pending = 0;
  let payload: EachBatchPayload | null = null;
  let groupError: Error | null = null;
  let isStopping = false;
  let restarts = 0;
  let restartTimer: NodeJS.Timeout | undefined;
  const held = new Set<number>();

  const committer = offsetCommitter({
    commit: async (offsets) => {
      if (payload === null) throw new Error('no member to commit through');
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: offsets.map(toCommit) }] });
    },
  });

  /** Synchronous inside kafkajs's join: no batch of the new assignment can arrive before it. */
  const onJoin = (assigned: readonly number[]) => {
    epoch += 1;
    groupError = null;
    restarts = 0;
    committer.reset(epoch);
    for (const partition of held) release(partition);
    happenings.connected(true);
    happenings.joined(epoch, assigned);
    handler?.assigned(epoch, assigned);
  };

  const letGo = (error: Error) => {
    groupError = error;
    handler?.letGo();
  };

  const beat = async () => {
    if (pending === 0 || payload === null || groupError !== null) return;
    try {
      await payload.heartbeat();
    } catch (error) {
      const met = error instanceof Error ? error : new Error(String(error));
      if (isGroupError(met)) letGo(met);
      else happenings.heartbeatFailed(met);
    }
  };
  const pump = setInterval(() => void beat(), options.heartbeatIntervalMs / 2);
  pump.unref();

  const endDoubt = onFetchError((where) => {
    if (where === topic) handler?.doubt();
  });

  const eachBatch = async (given: EachBatchPayload): Promise<void> => {
    payload = given;
    pending += 1;
    const ownEpoch = epoch;
    try {
      const delivery = toDelivery(given.batch as unknown as FetchedBatch, ownEpoch);
      const resolved = isStopping ? null : ((await handler?.deliver(delivery)) ?? null);
      if (ownEpoch !== epoch) return;
      if (resolved !== null && !given.isStale()) given.resolveOffset((resolved - 1n).toString());
      if (groupError !== null) await committer.idle();
    } catch (error) {
      // A TypeError out of here would end the consumer for good: whatever it is, it halts the pipeline instead.
      handler?.failed(asPipelineError(error, 'handling a batch'));
    } finally {
      pending -= 1;
    }
    // kafkajs rejoins when the very error of the heartbeat comes out of its handlers.
    if (groupError !== null && ownEpoch === epoch) throw groupError;
  };

  const restart = (error: PipelineError) => {
    happenings.connected(false);
    handler?.letGo();
    if (isStopping) return;
    if (error.disposition !== 'retry') {
      handler?.failed(error);
      return;
    }
    restarts += 1;
    const delayMs = Math.min(maxRestartDelayMs, 250 * 2 ** restarts) * (0.5 + Math.random() / 2);
    happenings.restarting(error, restarts, delayMs);
    const dead = consumer;
    payload = null;
    restartTimer = setTimeout(() => {
      void dead?.disconnect().catch(() => undefined);
      open().catch((failure: unknown) => restart(kafkaError(failure, 'starting the consumer')));
    }, delayMs);
  };

  const open = async (): Promise<void> => {
    const next = options.kafka.consumer({
      groupId: options.group,
      sessionTimeout: options.sessionTimeoutMs,
      heartbeatInterval: options.heartbeatIntervalMs,
      rebalanceTimeout: options.rebalanceTimeoutMs,
      maxBytes: options.fetchMaxBytes,
      maxBytesPerPartition: options.fetchMaxBytesPerPartition,
      minBytes: options.fetchMinBytes,
      maxWaitTimeInMs: options.fetchMaxWaitMs,
      allowAutoTopicCreation: false,
      retry: { retries: 8, initialRetryTime: 300, restartOnFailure: () => Promise.resolve(false) },
    });
    consumer = next;
    next.on(next.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
      if (consumer === next) onJoin(memberAssignment[topic] ?? []);
    });
    next.on(next.events.REBALANCING, () => {
      if (consumer === next) handler?.letGo();
    });
    next.on(next.events.CRASH, ({ payload: { error } }) => {
      if (consumer === next) restart(kafkaError(error, `reading ${topic}`));
    });
    await next.connect();
    await next.subscribe({ topics: [topic], fromBeginning: true });
    await next.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      // More workers are made as partitions are assigned (patches.ts): all deliveries of a fetch begin in one tick.
      partitionsConsumedConcurrently: 1,
      eachBatch,
    });
  };

  const release = (partition: number) => {
    held.delete(partition);
    consumer?.resume([{ topic, partitions: [partition] }]);
  };

  return {
    start: async (given) => {
      handler = given;
      try {
        await open();
      } catch (error) {
        restart(kafkaError(error, `joining group ${options.group}`));
      }
    },
    quiesce: () => {
      isStopping = true;
    },
    stop: async () => {
      isStopping = true;
      clearTimeout(restartTimer);
      clearInterval(pump);
      endDoubt();
      await committer.idle();
      await consumer?.disconnect();
      happenings.connected(false);
    },
    seek: (partition, offset) => consumer?.seek({ topic, partition, offset: offset.toString() }),
    hold: (partition) => {
      held.add(partition);
      consumer?.pause([{ topic, partitions: [partition] }]);
    },
    release,
    commit: (offsets, commitEpoch) => committer.commit(offsets, commitEpoch),
    bounds: options.bounds,
  };
};

const toCommit = ({ partition, next, metadata }: CommittedOffset) => ({ partition, offset: next.toString(), metadata });
