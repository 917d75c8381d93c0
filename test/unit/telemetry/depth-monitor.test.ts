import { expect, test } from '@jest/globals';
import { depthMonitor } from '../../../src/telemetry/depth-monitor.ts';
import type { DeadLetterDepth } from '../../../src/telemetry.ts';

const someDepth: DeadLetterDepth = { byCode: new Map([['JSON_INVALID', 2]]), oldestAt: 7n };

/** A monitor whose clock each reading moves, and the waits that it asked for. */
const monitored = async (readings: readonly (() => Promise<DeadLetterDepth>)[], tookMs: number) => {
  const told: unknown[] = [];
  const waits: number[] = [];
  let clock = 0;
  let next = 0;
  const all = Promise.withResolvers<undefined>();
  const monitor = depthMonitor({
    everyMs: 1000,
    now: () => clock,
    read: () => {
      clock += tookMs;
      return readings[next++]?.() ?? Promise.reject(new Error('no more'));
    },
    telemetry: { depthRead: (depth) => told.push(depth), depthReadFailed: (error) => told.push(String(error)) },
    wait: async (ms, signal) => {
      waits.push(ms);
      if (waits.length < readings.length) return;
      all.resolve(undefined);
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    },
  });
  await all.promise;
  await monitor.stop();
  return { told, waits };
};

test('a reading that fails is told, and the next one is made all the same', async () => {
  const { told, waits } = await monitored(
    [() => Promise.reject(new Error('away')), () => Promise.resolve(someDepth)],
    1,
  );
  expect(told).toEqual(['Error: away', someDepth]);
  expect(waits).toEqual([1000, 1000]);
});

test('readings that take long are made seldom', async () => {
  const { waits } = await monitored([() => Promise.resolve(someDepth)], 10_000);
  expect(waits).toEqual([200_000]);
});
