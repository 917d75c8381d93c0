import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../errors.ts';

export type RetryOptions = {
  /** The first wait is up to this; it doubles each time. */
  readonly initialMs: number;
  readonly maxMs: number;
  readonly onRetry: (retry: { doing: string; attempt: number; delayMs: number; err: unknown }) => void;
  readonly onRecovered: (recovered: { doing: string; attempts: number; elapsedMs: number }) => void;
  readonly now?: () => number;
  readonly random?: () => number;
  /** Rejects when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

/**
 * Tries an operation until it succeeds, as long as its errors have the disposition `retry`; waits in between with full
 * jitter (Brooker, "Exponential Backoff And Jitter", 2015). Any other error passes at once. Rejects with the signal's
 * reason when that aborts, and tries nothing after it.
 */
export const retrying = (options: RetryOptions) => {
  const { initialMs, maxMs, onRetry, onRecovered } = options;
  const now = options.now ?? (() => performance.now());
  const random = options.random ?? Math.random;
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));
  return async <T>(doing: string, operation: () => Promise<T>, signal: AbortSignal): Promise<T> => {
    const started = now();
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      try {
        const result = await operation();
        if (attempt > 1) onRecovered({ doing, attempts: attempt, elapsedMs: now() - started });
        return result;
      } catch (err) {
        if (!(err instanceof PipelineError) || err.disposition !== 'retry') throw err;
        const delayMs = random() * Math.min(maxMs, initialMs * 2 ** Math.min(attempt - 1, 30));
        onRetry({ doing, attempt, delayMs, err });
        await wait(delayMs, signal);
      }
    }
  };
};
