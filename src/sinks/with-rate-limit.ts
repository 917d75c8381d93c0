import Bottleneck from 'bottleneck';
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

// The library adds to its reservoirs in steps of a quarter second, and looks so often whether one is due.
const stepMs = 250;
const lookMs = 25;
// The library's own timers take a few milliseconds; that is no waiting for a limit.
const noticeableMs = 10;

/** A write waits its turn until both limits let it pass. At most one second's worth passes at once. Reads are free. */
export const withRateLimit = (sink: Sink, options: RateLimitOptions): Sink => {
  const { signal, onWait, now = () => performance.now() } = options;
  const calls = bucket(options.callsPerSecond, signal);
  const bytes = bucket(options.bytesPerSecond, signal);
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

/** Resolves when so much may pass. */
type Bucket = (amount: number) => Promise<void>;

const bucket = (perSecond: number | null, signal: AbortSignal): Bucket | undefined => {
  if (perSecond === null) return undefined;
  const limiter = new Bottleneck({
    reservoir: perSecond,
    reservoirIncreaseInterval: stepMs,
    reservoirIncreaseAmount: (perSecond * stepMs) / 1000,
    reservoirIncreaseMaximum: perSecond,
    heartbeatInterval: lookMs,
  });
  const aborted = new Promise<never>((_, reject) => {
    const end = (): void => {
      void limiter.disconnect();
      reject(signal.reason as Error);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
  aborted.catch(() => undefined);
  return async (amount) => {
    // What is larger than the whole bucket would wait for ever: it passes in as many turns as it needs.
    for (let left = amount; left > 0; left -= perSecond) {
      signal.throwIfAborted();
      await Promise.race([limiter.schedule({ weight: Math.min(left, perSecond) }, () => Promise.resolve()), aborted]);
    }
  };
};
