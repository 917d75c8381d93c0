import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaRecord } from '../schemas/record.ts';
import { pendingDeliveries, type Admitted, type Pending, type Slice } from './pending.ts';

export type BatchLimits = {
  /** Records per batch. */
  readonly maxEvents: number;
  /** Bytes of record values per batch; one record may exceed it alone. */
  readonly maxBytes: number;
  /** How long the first record of a batch that is not full waits for others. */
  readonly maxAgeMs: number;
};

/**
 * Queues what deliveries brought and cuts it into batches, in order of arrival, over all partitions. While less than a
 * batch waits, the source may fetch on at once; else a delivery is answered when all of it has been taken. So at most a
 * batch and what was being fetched are held.
 */
export type Batcher = {
  /** Resolves as `Pending.add` says. */
  add(admitted: Admitted): Promise<bigint | null>;
  /**
   * Resolves true when a batch is due, false when the signal ends the wait. A full one is due at once; another when it is
   * old enough and `underWay` has settled: what is cut while a write is under way would only wait, and grow no more.
   */
  whenDue(signal: AbortSignal, underWay: Promise<unknown>): Promise<boolean>;
  /** The first records in the queue, up to `count`, left where they are. */
  peek(count: number): readonly KafkaRecord[];
  /**
   * Takes records from the front while `fits` says yes; it is asked with null for a delivery that has none. What comes
   * first in a batch is taken in any case. No two slices are of one partition.
   */
  draft(fits: (partition: number, record: KafkaRecord | null) => boolean): Slice[];
  /** Gives up what is not in flight: of these partitions, or of all. */
  withdraw(partitions?: readonly number[]): void;
  queued(): { records: number; bytes: number };
};

/** Monotonic milliseconds, and a timer that rejects when `signal` aborts. */
export type Clock = {
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

const nodeClock: Clock = {
  now: () => performance.now(),
  wait: (ms, signal) => sleep(ms, undefined, { signal }),
};

type Waiting = { readonly pending: Pending; readonly since: number };

export const batcher = (limits: BatchLimits, clock: Clock = nodeClock): Batcher => {
  const { now } = clock;
  let queue: Waiting[] = [];
  let records = 0;
  let bytes = 0;
  /** Of the call of `whenDue` that waits: looks whether it is over. */
  let look: (() => void) | null = null;

  const isFull = () => records >= limits.maxEvents || bytes >= limits.maxBytes;
  const count = (list: readonly KafkaRecord[], sign: 1 | -1) => {
    records += sign * list.length;
    for (const record of list) bytes += sign * sizeOf(record);
  };
  /** Milliseconds; undefined while nothing waits. */
  const untilOldEnough = (): number | undefined => {
    const since = queue[0]?.since;
    return since === undefined ? undefined : limits.maxAgeMs - (now() - since);
  };
  const fetchOn = () => {
    if (!isFull()) for (const { pending } of queue) pending.fetchOn();
  };
  const placeFor = (admitted: Admitted): Pending => {
    const known = queue.find(({ pending }) => pending.isContinuedBy(admitted));
    if (known !== undefined) return known.pending;
    const pending = pendingDeliveries(admitted);
    queue.push({ pending, since: now() });
    return pending;
  };

  return {
    add: (admitted) => {
      const answered = placeFor(admitted).add(admitted);
      count(admitted.records, 1);
      fetchOn();
      look?.();
      return answered;
    },
    whenDue: (signal, underWay) =>
      new Promise((resolve) => {
        // Hot path at low load: no promise, signal or timer of its own for each arrival.
        let isWriterFree = false;
        let isTimed = false;
        const end = (isDue: boolean) => {
          look = null;
          signal.removeEventListener('abort', lookOnce);
          resolve(isDue);
        };
        const lookOnce = () => {
          if (signal.aborted) {
            end(false);
            return;
          }
          const leftMs = isWriterFree ? untilOldEnough() : undefined;
          if (isFull() || (leftMs !== undefined && leftMs <= 0)) {
            end(true);
            return;
          }
          if (leftMs === undefined || isTimed) return;
          isTimed = true;
          clock.wait(leftMs, signal).then(timeIsUp, timeIsUp);
        };
        const lookStill = () => {
          if (look === lookOnce) lookOnce();
        };
        const timeIsUp = () => {
          isTimed = false;
          lookStill();
        };
        const writerIsFree = () => {
          isWriterFree = true;
          lookStill();
        };
        look = lookOnce;
        signal.addEventListener('abort', lookOnce);
        underWay.then(writerIsFree, writerIsFree);
        lookOnce();
      }),
    peek: (count) => {
      const records: KafkaRecord[] = [];
      for (const { pending } of queue) {
        records.push(...pending.left().slice(0, count - records.length));
        if (records.length >= count) break;
      }
      return records;
    },
    draft: (fits) => {
      const slices: Slice[] = [];
      for (let head = queue[0]; head !== undefined; head = queue[0]) {
        const { pending } = head;
        if (slices.some((slice) => slice.pending.partition === pending.partition)) break;
        const slice = cut(pending, fits, slices.length === 0);
        if (slice === null) break;
        count(slice.records, -1);
        slices.push(slice);
        if (!pending.isDrained()) break;
        queue.shift();
      }
      fetchOn();
      return slices;
    },
    withdraw: (partitions) => {
      const goes = ({ pending }: Waiting) => partitions?.includes(pending.partition) ?? true;
      const gone = queue.filter(goes);
      queue = queue.filter((waiting) => !goes(waiting));
      for (const { pending } of gone) {
        count(pending.left(), -1);
        pending.close();
      }
    },
    queued: () => ({ records, bytes }),
  };
};

const sizeOf = (record: KafkaRecord): number => (record.value?.length ?? 0) + (record.key?.length ?? 0);

const cut = (
  pending: Pending,
  fits: (partition: number, record: KafkaRecord | null) => boolean,
  isFirst: boolean,
): Slice | null => {
  const left = pending.left();
  if (left.length === 0) return fits(pending.partition, null) || isFirst ? pending.take(0) : null;
  let taken = 0;
  while (taken < left.length) {
    const record = left[taken];
    if (record === undefined || (!fits(pending.partition, record) && !(isFirst && taken === 0))) break;
    taken += 1;
  }
  return taken === 0 ? null : pending.take(taken);
};
