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
const idle = Promise.resolve();
const turn = () => new Promise((resolve) => void setImmediate(resolve));

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

  test('joins deliveries that go on where the one before ended', () => {
    const queue = batcher(limits);
    void queue.add(admitted(0, 0n, 3n));
    void queue.add(admitted(1, 0n, 3n));
    void queue.add(gapOnly(0, 3n, 4n));
    void queue.add(admitted(0, 4n, 6n));
    expect(
      queue.draft((_, record) => record?.offset !== 5n).map(({ first, next, gaps }) => [first, next, gaps]),
    ).toEqual([[0n, 5n, [{ from: 3n, to: 4n, reason: 'control' }]]]);
    expect(queue.draft(all).map(({ pending, first, next }) => [pending.partition, first, next])).toEqual([
      [0, 5n, 6n],
      [1, 0n, 3n],
    ]);
  });

  test('ends before a second delivery of a partition that it cannot join: a mark is written once in a transaction', () => {
    const queue = batcher(limits);
    void queue.add(admitted(0, 0n, 3n));
    void queue.add(admitted(1, 0n, 3n));
    void queue.add({ ...admitted(0, 3n, 5n), over: new AbortController().signal });
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
    expect(await queue.whenDue(new AbortController().signal, idle)).toBe(true);
  });

  test('when its first record has waited long enough', async () => {
    const { clock, pass, timers } = handClock();
    const queue = batcher(limits, clock);
    void queue.add(admitted(0, 0n, 1n));
    const due = queue.whenDue(new AbortController().signal, idle);
    await turn();
    expect(timers).toHaveLength(1);
    pass(10);
    expect(await due).toBe(true);
  });

  test('not while a write is under way, unless it is full', async () => {
    const { clock, pass } = handClock();
    const queue = batcher({ ...limits, maxEvents: 3 }, clock);
    const write = Promise.withResolvers<undefined>();
    const told: string[] = [];
    void queue.add(admitted(0, 0n, 2n));
    void queue.whenDue(new AbortController().signal, write.promise).then(() => told.push('due'));
    pass(1000);
    await turn();
    expect(told).toEqual([]);
    write.resolve(undefined);
    await turn();
    expect(told).toEqual(['due']);
    void queue.whenDue(new AbortController().signal, new Promise(() => undefined)).then(() => told.push('full'));
    void queue.add(admitted(0, 2n, 3n));
    await turn();
    expect(told).toEqual(['due', 'full']);
  });

  test('never again once the signal ended it', async () => {
    const queue = batcher(limits);
    const end = new AbortController();
    const due = queue.whenDue(end.signal, idle);
    end.abort();
    expect(await due).toBe(false);
  });
});

describe('a delivery is answered', () => {
  const answersOf = (queue: ReturnType<typeof batcher>, deliveries: readonly Admitted[]) => {
    const answers: (bigint | null)[] = [];
    deliveries.forEach((delivery, at) => void queue.add(delivery).then((to) => (answers[at] = to)));
    return answers;
  };

  test('at once while less than a batch waits, then when it was taken', async () => {
    const queue = batcher({ ...limits, maxEvents: 5 });
    const answers = answersOf(queue, [admitted(0, 0n, 3n), admitted(1, 0n, 9n), admitted(0, 3n, 4n)]);
    await turn();
    expect(answers).toEqual([3n]);
    queue.draft((partition) => partition === 0);
    await turn();
    expect(answers).toEqual([3n, undefined, 4n]);
  });

  test('when what is left is less than a batch, though it was not taken', async () => {
    const queue = batcher({ ...limits, maxEvents: 5 });
    const answers = answersOf(queue, [admitted(0, 0n, 8n)]);
    queue.draft((_, record) => (record?.offset ?? 0n) < 4n);
    await turn();
    expect(answers).toEqual([8n]);
  });

  test('where it is durable up to, if the rest is given up: nothing of what comes after it', async () => {
    const queue = batcher({ ...limits, maxEvents: 4 });
    const answers = answersOf(queue, [admitted(0, 0n, 4n), admitted(0, 4n, 8n)]);
    const [slice] = queue.draft((_, record) => (record?.offset ?? 0n) < 3n);
    queue.withdraw();
    slice?.pending.settle(slice);
    await turn();
    expect(answers).toEqual([3n, null]);
  });

  test('not when the queue is full by bytes alone', async () => {
    const queue = batcher({ ...limits, maxBytes: 1 });
    const answers = answersOf(queue, [admitted(0, 0n, 3n)]);
    await turn();
    expect(answers).toEqual([]);
  });
});

test('withdrawing gives up what is queued; what was taken may still be settled', async () => {
  const queue = batcher({ ...limits, maxEvents: 4 });
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
