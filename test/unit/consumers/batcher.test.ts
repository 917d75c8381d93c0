import { describe, expect, test } from '@jest/globals';
import { batcher, type Clock } from '../../../src/consumers/batcher.ts';
import type { Admitted } from '../../../src/consumers/pending.ts';
import { deliveryOf } from '../../support/pipeline-rig.ts';

const over = new AbortController().signal;
const limits = { maxEvents: 100, maxBytes: 1_000_000, maxAgeMs: 10 };

const admitted = (partition: number, first: bigint, next: bigint): Admitted => {
  const { records, gaps } = deliveryOf(partition, first, next);
  return { partition, epoch: 1, over, first, next, records, gaps };
};
const gapOnly = (partition: number, from: bigint, to: bigint): Admitted => ({
  ...admitted(partition, from, from),
  ...{ next: to, gaps: [{ from, to, reason: 'control' }] },
});
const all = () => true;

describe('a batch', () => {
  test('takes deliveries in order of arrival, over all partitions', () => {
    const queue = batcher(limits);
    void queue.add(admitted(2, 0n, 3n));
    void queue.add(admitted(0, 5n, 7n));
    expect(queue.draft(all).map(({ pending, first, next }) => [pending.partition, first, next])).toEqual([
      [2, 0n, 3n],
      [0, 5n, 7n],
    ]);
    expect(queue.queued()).toEqual({ records: 0, bytes: 0 });
  });

  test('ends before a second delivery of one partition: a mark is written once in a transaction', () => {
    const queue = batcher(limits);
    void queue.add(admitted(0, 0n, 3n));
    void queue.add(admitted(1, 0n, 3n));
    void queue.add(admitted(0, 3n, 5n));
    expect(queue.draft(all).map((slice) => slice.pending.partition)).toEqual([0, 1]);
    expect(queue.draft(all).map((slice) => slice.pending.partition)).toEqual([0]);
  });

  test('asks for room for a delivery of gaps alone, too', () => {
    const queue = batcher(limits);
    void queue.add(admitted(0, 0n, 2n));
    void queue.add(gapOnly(1, 4n, 6n));
    const asked: (bigint | null)[] = [];
    const slices = queue.draft((_, record) => {
      asked.push(record?.offset ?? null);
      return record !== null;
    });
    expect(asked).toEqual([0n, 1n, null]);
    expect(slices).toHaveLength(1);
    expect(queue.draft(() => false).map(({ gaps }) => gaps)).toEqual([[{ from: 4n, to: 6n, reason: 'control' }]]);
  });

  test('takes its first record in any case, and cuts where the next does not fit', async () => {
    const queue = batcher(limits);
    const done = queue.add(admitted(0, 0n, 3n));
    const [first] = queue.draft(() => false);
    expect([first?.first, first?.next]).toEqual([0n, 1n]);
    const [second] = queue.draft(all);
    expect([second?.first, second?.next]).toEqual([1n, 3n]);
    expect(await done).toBe(3n);
  });
});

describe('due', () => {
  const handClock = () => {
    let nowMs = 0;
    const timers: (() => void)[] = [];
    const clock: Clock = {
      now: () => nowMs,
      wait: () => new Promise((resolve) => timers.push(() => resolve(undefined))),
    };
    const pass = (ms: number) => {
      nowMs += ms;
      for (const timer of timers.splice(0)) timer();
    };
    return { clock, pass, timers };
  };

  test('when it is full, before its time', async () => {
    const queue = batcher({ ...limits, maxEvents: 3 }, handClock().clock);
    void queue.add(admitted(0, 0n, 3n));
    expect(await queue.whenDue(new AbortController().signal)).toBe(true);
  });

  test('when its first record has waited long enough', async () => {
    const { clock, pass, timers } = handClock();
    const queue = batcher(limits, clock);
    void queue.add(admitted(0, 0n, 1n));
    const due = queue.whenDue(new AbortController().signal);
    expect(timers).toHaveLength(1);
    pass(10);
    expect(await due).toBe(true);
  });

  test('never again once the signal ended it', async () => {
    const queue = batcher(limits);
    const end = new AbortController();
    const due = queue.whenDue(end.signal);
    end.abort();
    expect(await due).toBe(false);
  });
});

test('withdrawing gives up what is queued; what was taken may still be settled', async () => {
  const queue = batcher(limits);
  const first = queue.add(admitted(0, 0n, 4n));
  const second = queue.add(admitted(1, 0n, 4n));
  const [slice] = queue.draft((_, record) => (record?.offset ?? 0n) < 2n);
  queue.withdraw([0]);
  expect(queue.queued().records).toBe(4);
  if (slice !== undefined) slice.pending.settle(slice);
  expect(await first).toBe(2n);
  queue.withdraw();
  expect(await second).toBeNull();
  expect(queue.queued()).toEqual({ records: 0, bytes: 0 });
});
