import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetterDepth, Telemetry } from '../telemetry.ts';

export type DepthMonitorOptions = {
  readonly read: (signal: AbortSignal) => Promise<DeadLetterDepth>;
  readonly everyMs: number;
  readonly telemetry: Pick<Telemetry, 'depthRead' | 'depthReadFailed'>;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number;
  /** Default: the timer of Node. Rejects when `signal` aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

/** Of the time, so much may go into reading: with a million dead letters a reading takes seconds. */
const maxShare = 1 / 20;

/** Reads again and again how many dead letters are not settled, one reading at a time. */
export const depthMonitor = (options: DepthMonitorOptions) => {
  const { everyMs, telemetry, now = () => performance.now() } = options;
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal, ref: false }));
  const stopping = new AbortController();
  const { signal } = stopping;

  const readOnce = async (): Promise<void> => {
    try {
      telemetry.depthRead(await options.read(signal));
    } catch (error) {
      if (!signal.aborted) telemetry.depthReadFailed(error);
    }
  };

  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      const began = now();
      await readOnce();
      const tookMs = now() - began;
      await wait(Math.max(everyMs, tookMs / maxShare), signal).catch(() => undefined);
    }
  };
  const running = loop();

  return {
    /** Resolves when no reading is under way. Idempotent. */
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
};
