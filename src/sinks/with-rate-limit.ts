import { bucket } from './bucket.ts';
import type { Sink } from './sink.ts';

export type RateLimits = {
  /** Null: no limit. */
  readonly callsPerSecond: number | null;
  readonly bytesPerSecond: number | null;
};

export type RateLimitOptions = RateLimits & {
  /** Told once for each write that had to wait. */
  readonly onWait: (waitedMs: number) => void;
  /** Ends all waiting, which then rejects with its reason, and the timers. */
  readonly signal: AbortSignal;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number;
};

// The timers of the library under the buckets take a few milliseconds; that is no waiting for a limit.
const noticeableMs = 10;

/** A write waits its turn until both limits let it pass. At most one second's worth passes at once. Reads are free. */
export const withRateLimit = (sink: Sink, options: RateLimitOptions): Sink => {
  const { signal, onWait, now = () => performance.now() } = options;
  const calls = options.callsPerSecond === null ? undefined : bucket(options.callsPerSecond, signal);
  const bytes = options.bytesPerSecond === null ? undefined : bucket(options.bytesPerSecond, signal);
  if (!calls && !bytes) return sink;
  return {
    ...sink,
    commit: async (composed) => {
      const began = now();
      await calls?.(1);
      await bytes?.(composed.bytes);
      const waitedMs = now() - began;
      if (waitedMs >= noticeableMs) onWait(waitedMs);
      return sink.commit(composed);
    },
  };
};
