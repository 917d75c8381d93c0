import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { Composed, Sink } from '../../../src/sinks/sink.ts';
import { withRateLimit, type RateLimits } from '../../../src/sinks/with-rate-limit.ts';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const composed = (bytes: number): Composed => ({ batch: { spans: [] }, entries: 1, bytes });

const setUp = (limits: Partial<RateLimits>) => {
  const written: { atMs: number; bytes: number }[] = [];
  const waits: number[] = [];
  const began = Date.now();
  const sink: Sink = {
    open: () => Promise.resolve(new Map()),
    budget: () => ({ take: () => true, cover: () => true }),
    find: () => Promise.resolve(new Map()),
    compose: () => Promise.resolve(composed(0)),
    commit: ({ bytes }) => {
      written.push({ atMs: Date.now() - began, bytes });
      return Promise.resolve({ kind: 'written', tx: 1n, standings: [] });
    },
  };
  const stopping = new AbortController();
  const limited = withRateLimit(sink, {
    callsPerSecond: null,
    bytesPerSecond: null,
    ...limits,
    onWait: (ms) => void waits.push(ms),
    signal: stopping.signal,
    now: () => Date.now(),
  });
  return { sink, limited, written, waits, stopping };
};

test('without limits it is the sink itself', () => {
  const { sink, limited } = setUp({});
  expect(limited).toBe(sink);
});

test('calls: a second of them passes at once, the rest at the rate', async () => {
  const { limited, written, waits, stopping } = setUp({ callsPerSecond: 10 });
  const all = Promise.all(Array.from({ length: 30 }, () => limited.commit(composed(1))));
  await jest.advanceTimersByTimeAsync(100);
  expect(written).toHaveLength(10);
  await jest.advanceTimersByTimeAsync(1100);
  expect(written.length).toBeGreaterThanOrEqual(18);
  expect(written.length).toBeLessThanOrEqual(21);
  await jest.advanceTimersByTimeAsync(1500);
  await all;
  expect(written).toHaveLength(30);
  expect(waits.length).toBeGreaterThanOrEqual(20);
  expect(Math.max(...waits)).toBeGreaterThan(1500);
  stopping.abort();
});

test('bytes: never more than burst plus rate in any time, also for a write larger than a second of them', async () => {
  const { limited, written, stopping } = setUp({ bytesPerSecond: 1000 });
  const all = Promise.all([600, 600, 3000, 100].map((bytes) => limited.commit(composed(bytes))));
  await jest.advanceTimersByTimeAsync(10_000);
  await all;
  expect(written.map(({ bytes }) => bytes).sort((a, b) => a - b)).toEqual([100, 600, 600, 3000]);
  let total = 0;
  for (const { atMs, bytes } of written) {
    total += bytes;
    expect(total).toBeLessThanOrEqual(1000 + atMs);
  }
  stopping.abort();
});

test('the signal ends the waiting with its reason and leaves no timer', async () => {
  const { limited, written, stopping } = setUp({ callsPerSecond: 1 });
  const first = limited.commit(composed(1));
  await jest.advanceTimersByTimeAsync(20);
  await first;
  const waiting = expect(limited.commit(composed(1))).rejects.toThrow('stopping');
  await jest.advanceTimersByTimeAsync(20);
  stopping.abort(new Error('stopping'));
  await waiting;
  await expect(limited.commit(composed(1))).rejects.toThrow('stopping');
  expect(written).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(20);
  expect(jest.getTimerCount()).toBe(0);
});
