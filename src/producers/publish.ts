import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../errors.ts';

/** A record before it lies on Kafka. Records of one key keep their order. */
export type OutgoingMessage = {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
};

/**
 * Something that takes records to Kafka. `send` resolves only when all in-sync replicas have every message of the call.
 * Retrying is its own business; what it rejects with ends the publishing.
 */
export type ProducerPort = {
  send(topic: string, messages: readonly OutgoingMessage[]): Promise<void>;
};

export type PublishOptions = {
  readonly topic: string;
  /** Events per second; as fast as the port takes them if left out. */
  readonly ratePerSecond?: number;
  /** Messages per call, at most. Default 500. */
  readonly batchSize?: number;
  /** Calls that wait for an answer at the same time. Default 1: more of them may change the order within a key. */
  readonly maxInFlight?: number;
  /** Take no more events, and resolve when the calls in flight are answered. */
  readonly signal?: AbortSignal;
  /** Called after every acknowledged batch, with all that has been acknowledged so far. */
  readonly onProgress?: (acknowledged: number) => void;
  readonly clock?: PublishClock;
};

/** Monotonic milliseconds, and a wait that resolves early, without an error, when the signal is aborted. */
export type PublishClock = {
  readonly nowMs: () => number;
  readonly wait: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
};

export type Published = {
  /** Messages that the port acknowledged. */
  readonly acknowledged: number;
  /** False if the signal ended it before the events did. */
  readonly complete: boolean;
};

const systemClock: PublishClock = {
  nowMs: () => performance.now(),
  wait: async (ms, signal) => {
    try {
      await sleep(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  },
};

/** Half of what a broker takes at once by default, should all messages of a batch be for one partition. */
const maxBatchBytes = 524_288;

/** After a stall a publisher does not make up for more than this: no flood follows a slow broker. */
const maxCatchUpMs = 1_000;

/** Resolves when so many events more are due. */
const pacer = (ratePerSecond: number, { nowMs, wait }: PublishClock, signal: AbortSignal | undefined) => {
  let dueMs = nowMs();
  return async (events: number): Promise<void> => {
    const now = nowMs();
    dueMs = Math.max(dueMs, now - maxCatchUpMs);
    if (dueMs > now) await wait(dueMs - now, signal);
    dueMs += (events / ratePerSecond) * 1000;
  };
};

const bytesOf = ({ key, value }: OutgoingMessage): number => key.length + (value?.length ?? 0);

/** Lists of at most `size` messages and {@link maxBatchBytes}, a larger message alone. Ends the source when ended. */
async function* batches(
  source: Iterable<OutgoingMessage> | AsyncIterable<OutgoingMessage>,
  size: number,
): AsyncGenerator<OutgoingMessage[], void> {
  let batch: OutgoingMessage[] = [];
  let bytes = 0;
  for await (const message of source) {
    bytes += bytesOf(message);
    if (batch.length === size || (batch.length > 0 && bytes > maxBatchBytes)) {
      yield batch;
      batch = [];
      bytes = bytesOf(message);
    }
    batch.push(message);
  }
  if (batch.length > 0) yield batch;
}

const positive = (name: string, value: number): number => {
  if (value > 0 && !Number.isNaN(value)) return value;
  throw new PipelineError('USAGE', `publishing: ${name} must be greater than zero`);
};

/** With a rate, batches small enough that ten go out per second, so that the flow is even. */
const batchSizeOf = ({ ratePerSecond = Infinity, batchSize = 500 }: PublishOptions): number =>
  Math.ceil(Math.min(positive('batchSize', batchSize), positive('ratePerSecond', ratePerSecond) / 10));

/** Promises under way, at most `limit`. What is added must not reject. */
const flight = (limit: number) => {
  const under = new Set<Promise<void>>();
  return {
    room: async (): Promise<void> => {
      while (under.size >= limit) await Promise.race(under);
    },
    add: (promise: Promise<void>): void => {
      const entry: Promise<void> = promise.finally(() => under.delete(entry));
      under.add(entry);
    },
    landed: async (): Promise<void> => {
      await Promise.all(under);
    },
  };
};

/**
 * Sends the events in their order. Resolves when every event handed to the port is acknowledged: all of them, or, after
 * an abort, those before the batch that was being gathered. Rejects with the port's first error when the other calls in
 * flight have been answered. It never takes more than `batchSize * (maxInFlight + 1)` events ahead of the
 * acknowledgements. While `events` itself is waited for, it is for `events` to heed the signal.
 */
export const publishEvents = async (
  port: ProducerPort,
  events: Iterable<OutgoingMessage> | AsyncIterable<OutgoingMessage>,
  options: PublishOptions,
): Promise<Published> => {
  const { topic, signal, onProgress, ratePerSecond = Infinity } = options;
  const batchSize = batchSizeOf(options);
  const calls = flight(positive('maxInFlight', options.maxInFlight ?? 1));
  const due = pacer(ratePerSecond, options.clock ?? systemClock, signal);
  const errors: unknown[] = [];
  let acknowledged = 0;
  const send = async (batch: readonly OutgoingMessage[]): Promise<void> => {
    try {
      await port.send(topic, batch);
      acknowledged += batch.length;
      onProgress?.(acknowledged);
    } catch (error) {
      errors.push(error);
    }
  };
  let complete = true;
  for await (const batch of batches(events, batchSize)) {
    await due(batch.length);
    await calls.room();
    complete = errors.length === 0 && signal?.aborted !== true;
    if (!complete) break;
    calls.add(send(batch));
  }
  await calls.landed();
  if (errors.length > 0) throw errors[0];
  return { acknowledged, complete };
};
