import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../errors.ts';

export type RetryOptions = {
  /** Waits are random between 0 and a ceiling that doubles from here. Default 100. */
  readonly initialMs?: number;
  /** The ceiling of the ceiling. Default 10,000. */
  readonly maxMs?: number;
  /** After so long the last error passes through. Default: never. */
  readonly maxElapsedMs?: number;
  /** Default: a PipelineError with disposition `retry`. */
  readonly isRetry?: (error: unknown) => boolean;
  readonly onRetry?: (retry: Retry) => void;
  readonly onRecovered?: (after: Recovery) => void;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number;
  /** From 0 to below 1; default `Math.random`. */
  readonly random?: () => number;
  /** Default: the timer of Node. Rejects when `signal` aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

export type Retry = {
  readonly doing: string;
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
  readonly err: unknown;
};
export type Recovery = { readonly doing: string; readonly attempts: number; readonly elapsedMs: number };

/**
 * Runs an operation until it succeeds, waiting between attempts, as long as its errors may be retried; any other error
 * passes through at once. Rejects with the signal's reason when that ends the waiting; an attempt under way is not cut.
 */
export type Retrying = <T>(doing: string, operation: () => Promise<T>, signal: AbortSignal) => Promise<T>;

const isRetryError = (error: unknown): boolean => error instanceof PipelineError && error.disposition === 'retry';

/**
 * Full jitter: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. It spreads many members that lost the same
 * server best.
 */
export const fullJitterMs = (attempt: number, initialMs: number, maxMs: number, random: () => number): number =>
  random() * Math.min(maxMs, initialMs * 2 ** Math.min(attempt - 1, 52));

export const retrying = (options: RetryOptions = {}): Retrying => {
  const { initialMs = 100, maxMs = 10_000, maxElapsedMs = Infinity, isRetry = isRetryError } = options;
  const { now = () => performance.now(), random = Math.random } = options;
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));

  return async (doing, operation, signal) => {
    const began = now();
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      try {
        const result = await operation();
        if (attempt > 1) options.onRecovered?.({ doing, attempts: attempt, elapsedMs: now() - began });
        return result;
      } catch (err) {
        const delayMs = fullJitterMs(attempt, initialMs, maxMs, random);
        if (!isRetry(err) || now() - began + delayMs > maxElapsedMs) throw err;
        options.onRetry?.({ doing, attempt, delayMs, err });
        await waiting(wait, delayMs, signal);
      }
    }
  };
};

// The timer rejects with an AbortError of its own; callers look for the reason that they gave.
const waiting = async (wait: NonNullable<RetryOptions['wait']>, ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await wait(ms, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
};
