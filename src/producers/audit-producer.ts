import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../errors.ts';
import type { AuditEvent } from './audit-event.ts';
import { countersText, type Counters } from './counters.ts';
import type { OutgoingMessage } from './publish.ts';
import { inTrace, traceHeader } from './trace-context.ts';
import { problemsOf } from './validate.ts';

export type AuditProducerOptions = {
  readonly topic: string;
  /** Resolves when all in-sync replicas have every record of the call. */
  readonly send: (topic: string, messages: readonly OutgoingMessage[]) => Promise<void>;
  /** Names the service in metrics and in the `source` header. */
  readonly service: string;
  /** Makes the value of an event's record. Default: its JSON. */
  readonly encode?: (event: AuditEvent, json: Buffer) => Promise<Buffer>;
  /** What happens to an event when the buffer is full: its publish() waits for room, or rejects. Never is one dropped. */
  readonly whenFull?: 'wait' | 'refuse';
  readonly maxBufferedEvents?: number;
  readonly maxBufferedBytes?: number;
  /** How long an event is tried before its publish() rejects with EVENT_UNSENT. */
  readonly deliveryTimeoutMs?: number;
  /** The traceparent of what the service is doing just now. */
  readonly currentTrace?: () => string | undefined;
};

/** Events that were taken and not acknowledged. One of them may lie on Kafka all the same: its answer got lost. */
export type Unsent = { readonly unsent: readonly AuditEvent[] };

export type AuditProducer = {
  /**
   * Resolves when Kafka has acknowledged the event on all in-sync replicas. Rejects with EVENT_INVALID and all problems
   * at once, with PRODUCER_FULL or PRODUCER_CLOSED before it was taken, with EVENT_UNSENT when it could not be sent.
   */
  publish(event: AuditEvent, options?: { readonly traceparent?: string }): Promise<void>;
  /** Fail-closed: acts only after the event is acknowledged, so that nothing happens unaudited. */
  audited<T>(event: AuditEvent, act: () => Promise<T>): Promise<T>;
  /** Resolves when everything that was taken before is acknowledged or given up; names what was given up meanwhile. */
  flush(): Promise<Unsent>;
  /** Takes no more, sends what it has until the deadline, then gives the rest up and names it. Idempotent. */
  close(options?: { readonly deadlineMs?: number }): Promise<Unsent>;
  /** In the text format of Prometheus. */
  metrics(): string;
};

type Entry = {
  readonly event: AuditEvent;
  readonly message: OutgoingMessage;
  readonly bytes: number;
  readonly until: number;
  readonly done: PromiseWithResolvers<undefined>;
};

const maxBatchEvents = 500;
const maxBatchBytes = 524_288;
const firstWaitMs = 100;
const maxWaitMs = 5_000;

export const auditProducer = (options: AuditProducerOptions): AuditProducer => {
  const { topic, send, service, whenFull = 'wait', encode, currentTrace } = options;
  const { maxBufferedEvents = 10_000, maxBufferedBytes = 33_554_432, deliveryTimeoutMs = 120_000 } = options;
  const counters: Counters = { buffered: 0, written: 0, dropped: 0, batchesFailed: 0 };
  const queue: Entry[] = [];
  /** Taken and not settled: in the queue or under way. */
  const open = new Set<Entry>();
  /** Of a batch that Kafka refused for good: each is tried by itself. */
  const alone: Entry[] = [];
  const waiting: (() => void)[] = [];
  const end = new AbortController();
  let bytes = 0;
  let isClosing = false;
  let running: Promise<void> | null = null;

  const isFull = (more: number) => open.size >= maxBufferedEvents || (open.size > 0 && bytes + more > maxBufferedBytes);
  const settle = (entry: Entry, error?: PipelineError) => {
    if (!open.delete(entry)) return;
    bytes -= entry.bytes;
    if (error === undefined) {
      counters.written += 1;
      entry.done.resolve(undefined);
    } else {
      counters.dropped += 1;
      entry.done.reject(error);
    }
    for (const wake of waiting.splice(0)) wake();
  };

  const refuseClosed = () => {
    if (isClosing) throw new PipelineError('PRODUCER_CLOSED', 'publishing an audit event: the producer is closed');
  };

  const nextBatch = (): Entry[] => {
    const batch: Entry[] = [];
    let size = 0;
    for (let head = queue[0]; head !== undefined && batch.length < maxBatchEvents; head = queue[0]) {
      size += head.bytes;
      if (batch.length > 0 && size > maxBatchBytes) break;
      queue.shift();
      batch.push(head);
    }
    return batch;
  };

  /** Tries one batch until it is acknowledged, or nothing of it is wanted any more. */
  const deliver = async (batch: readonly Entry[]): Promise<void> => {
    let left = batch;
    for (let waitMs = firstWaitMs; left.length > 0; waitMs = Math.min(2 * waitMs, maxWaitMs)) {
      try {
        await send(
          topic,
          left.map(({ message }) => message),
        );
        for (const entry of left) settle(entry);
        return;
      } catch (error) {
        counters.batchesFailed += 1;
        left = stillWanted(left, error);
        if (left.length > 0)
          await sleep(waitMs * (0.5 + Math.random() / 2), undefined, { signal: end.signal }).catch(() => undefined);
        left = left.filter((entry) => open.has(entry));
      }
    }
  };

  /** One event that is refused for good must not take its neighbours with it: then each is sent alone. */
  const stillWanted = (batch: readonly Entry[], error: unknown): readonly Entry[] => {
    const isOutage = error instanceof PipelineError && error.disposition === 'retry';
    if (!isOutage && batch.length > 1) {
      alone.push(...batch);
      return [];
    }
    const now = performance.now();
    return batch.filter((entry) => {
      if (isOutage && entry.until > now) return true;
      settle(entry, unsent(error));
      return false;
    });
  };
  const unsent = (cause: unknown) =>
    new PipelineError('EVENT_UNSENT', 'an audit event was not acknowledged by Kafka; it may lie there all the same', {
      cause,
    });

  const run = async (): Promise<void> => {
    await Promise.resolve();
    while (queue.length > 0 || alone.length > 0) {
      const one = alone.shift();
      await deliver(one === undefined ? nextBatch() : [one]);
    }
    running = null;
  };

  const take = (event: AuditEvent, message: OutgoingMessage, size: number): Entry => {
    const done = Promise.withResolvers<undefined>();
    done.promise.catch(() => undefined);
    const entry: Entry = { event, message, bytes: size, until: performance.now() + deliveryTimeoutMs, done };
    counters.buffered += 1;
    bytes += size;
    open.add(entry);
    queue.push(entry);
    running ??= run();
    return entry;
  };

  const publish: AuditProducer['publish'] = async (given, { traceparent } = {}) => {
    refuseClosed();
    const event = inTrace(given, traceparent ?? currentTrace?.());
    const json = Buffer.from(JSON.stringify(event));
    const problems = problemsOf(event, json);
    if (problems.length > 0) throw new PipelineError('EVENT_INVALID', `${event.event_type}: ${problems.join('; ')}`);
    const value = encode === undefined ? json : await encode(event, json);
    const headers = { source: service, ...traceHeader(event) };
    const size = value.length + event.correlation_id.length;
    refuseClosed();
    // Asked and taken in one step: what comes at the same time must not find the same room.
    while (isFull(size)) {
      if (whenFull === 'refuse') throw new PipelineError('PRODUCER_FULL', `${open.size} events wait for Kafka`);
      await new Promise<void>((resolve) => waiting.push(resolve));
      refuseClosed();
    }
    await take(event, { key: event.correlation_id, value, headers }, size).done.promise;
  };

  const settled = async (entries: readonly Entry[]): Promise<Unsent> => {
    const results = await Promise.allSettled(entries.map(({ done }) => done.promise));
    return { unsent: entries.filter((_, index) => results[index]?.status === 'rejected').map(({ event }) => event) };
  };

  return {
    publish,
    audited: async (event, act) => {
      await publish(event);
      return await act();
    },
    flush: () => settled([...open]),
    close: async ({ deadlineMs = 10_000 } = {}) => {
      isClosing = true;
      for (const wake of waiting.splice(0)) wake();
      const entries = [...open];
      const late = setTimeout(() => {
        for (const entry of [...open]) settle(entry, unsent(new Error('the producer was closed')));
        queue.length = 0;
        alone.length = 0;
        end.abort();
      }, deadlineMs);
      const result = await settled(entries);
      clearTimeout(late);
      end.abort();
      return result;
    },
    metrics: () => countersText(service, counters, { size: open.size, bytes, capacity: maxBufferedEvents }),
  };
};
