import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PipelineError } from '../../../src/errors.ts';
import { fullJitterMs, retrying, type Recovery, type Retry, type RetryOptions } from '../../../src/sinks/with-retry.ts';

const away = () => new PipelineError('LEDGER_UNAVAILABLE', 'writing');

const setUp = (more: RetryOptions = {}) => {
  let nowMs = 0;
  const retries: Retry[] = [];
  const recoveries: Recovery[] = [];
  const run = retrying({
    random: () => 0.5,
    now: () => nowMs,
    wait: (ms, signal) => {
      nowMs += ms;
      return signal.aborted ? Promise.reject(new Error('timer')) : Promise.resolve();
    },
    onRetry: (retry) => void retries.push(retry),
    onRecovered: (after) => void recoveries.push(after),
    ...more,
  });
  return { run, retries, recoveries };
};

const failing = (times: number, error: () => Error = away) => {
  let calls = 0;
  return () => (++calls <= times ? Promise.reject(error()) : Promise.resolve(calls));
};
const never = new AbortController().signal;

describe('retrying', () => {
  test('a success at once says nothing', async () => {
    const { run, retries, recoveries } = setUp();
    expect(await run('x', failing(0), never)).toBe(1);
    expect([retries, recoveries]).toEqual([[], []]);
  });

  test('it goes on until success, waits double up to the ceiling, and the recovery is told', async () => {
    const { run, retries, recoveries } = setUp({ initialMs: 100, maxMs: 1000 });
    expect(await run('writing', failing(6), never)).toBe(7);
    expect(retries.map(({ delayMs }) => delayMs)).toEqual([50, 100, 200, 400, 500, 500]);
    expect(retries.map(({ attempt, doing }) => `${doing} ${attempt}`)[5]).toBe('writing 6');
    expect(recoveries).toEqual([{ doing: 'writing', attempts: 7, elapsedMs: 1750 }]);
  });

  test.each([
    ['a halt', new PipelineError('LOG_REPLACED', 'x')],
    ['a mistake of usage', new PipelineError('USAGE', 'x')],
    ['a bug', new TypeError('x')],
  ])('%s passes through at once', async (_, error) => {
    const { run, retries } = setUp();
    await expect(
      run(
        'x',
        failing(1, () => error),
        never,
      ),
    ).rejects.toBe(error);
    expect(retries).toEqual([]);
  });

  test('it gives up when the time is used up, with the last error', async () => {
    const { run, retries } = setUp({ initialMs: 100, maxMs: 100, maxElapsedMs: 220 });
    await expect(run('x', failing(99), never)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(retries).toHaveLength(4);
  });

  test('an abort ends the waiting with its reason, before and during', async () => {
    const stop = new AbortController();
    const { run } = setUp({ onRetry: () => stop.abort(new Error('stopping')) });
    await expect(run('x', failing(1), stop.signal)).rejects.toThrow('stopping');
    let calls = 0;
    await expect(run('x', () => Promise.resolve(++calls), stop.signal)).rejects.toThrow('stopping');
    expect(calls).toBe(0);
  });

  test('the timer of Node is cut short by an abort', async () => {
    const stop = new AbortController();
    const run = retrying({
      initialMs: 3_600_000,
      maxMs: 3_600_000,
      random: () => 0.9,
      onRetry: () => setImmediate(() => stop.abort(new Error('stopping'))),
    });
    await expect(run('x', failing(1), stop.signal)).rejects.toThrow('stopping');
  });
});

test('jitter lies between 0 and the doubled wait, and never above the ceiling', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, random) => {
        const ms = fullJitterMs(attempt, 100, 10_000, () => random);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.min(10_000, 100 * 2 ** Math.min(attempt - 1, 20)));
      },
    ),
  );
});
