import { expect, test } from '@jest/globals';
import { lagMonitor } from '../../../src/telemetry/lag-monitor.ts';
import type { PartitionLag } from '../../../src/telemetry/lag.ts';

const row: PartitionLag = { topic: 't', partition: 0, start: 0n, end: 9n, committed: 9n, oldestWaitingMs: null };

// A timer that the test turns by hand: `tick` ends every wait that is under way.
const handTimer = () => {
  let waiting: { end: () => void; signal: AbortSignal }[] = [];
  const wait = (_ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const refuse = () => reject(new Error('aborted'));
      if (signal.aborted) refuse();
      signal.addEventListener('abort', refuse);
      waiting.push({ end: resolve, signal });
    });
  const tick = async () => {
    const due = waiting.filter(({ signal }) => !signal.aborted);
    waiting = [];
    for (const { end } of due) end();
    await settle();
  };
  return { wait, tick };
};
const settle = () => new Promise((resolve) => setImmediate(resolve));

const seen = () => {
  const reads: (readonly PartitionLag[])[] = [];
  const failures: unknown[] = [];
  const telemetry = {
    lagRead: (_group: string, rows: readonly PartitionLag[]) => void reads.push(rows),
    lagReadFailed: (err: unknown) => void failures.push(err),
  };
  return { reads, failures, telemetry };
};

test('it reads again and again while nothing happens, until it is stopped', async () => {
  const { wait, tick } = handTimer();
  const { reads, failures, telemetry } = seen();
  const monitor = lagMonitor({ read: () => Promise.resolve([row]), group: 'g', everyMs: 10, telemetry, wait });
  await settle();
  await tick();
  await tick();
  expect(reads).toEqual([[row], [row], [row]]);
  await monitor.stop();
  await monitor.stop();
  await tick();
  expect(reads).toHaveLength(3);
  expect(failures).toEqual([]);
});

test('a failed reading is told and the next is tried', async () => {
  const { wait, tick } = handTimer();
  const { reads, failures, telemetry } = seen();
  let isDown = true;
  const read = () => (isDown ? Promise.reject(new Error('down')) : Promise.resolve([row]));
  const monitor = lagMonitor({ read, group: 'g', everyMs: 10, telemetry, wait });
  await settle();
  isDown = false;
  await tick();
  expect([failures.length, reads.length]).toEqual([1, 1]);
  await monitor.stop();
});

test('a reading that hangs is given up, its signal aborts, and no second one is begun beside it', async () => {
  const { wait, tick } = handTimer();
  const { failures, telemetry } = seen();
  const signals: AbortSignal[] = [];
  const read = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<never>(() => undefined);
  };
  const monitor = lagMonitor({ read, group: 'g', everyMs: 10, telemetry, wait });
  await settle();
  await tick();
  expect(signals[0]?.aborted).toBe(true);
  await tick();
  expect(signals).toHaveLength(1);
  expect(failures.map(String)).toEqual(['Error: no answer within 10 ms', 'Error: the last reading has not ended yet']);
  await monitor.stop();
});
