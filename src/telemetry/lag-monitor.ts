import { setTimeout as sleep } from 'node:timers/promises';
import type { Telemetry } from '../telemetry.ts';
import type { PartitionLag } from './lag.ts';

export type LagMonitorOptions = {
  /** Reads committed offsets first, then the ends of the logs. Should end when `signal` does. */
  readonly read: (signal: AbortSignal) => Promise<readonly PartitionLag[]>;
  readonly group: string;
  readonly everyMs: number;
  readonly telemetry: Pick<Telemetry, 'lagRead' | 'lagReadFailed'>;
  /** Default: the timer of Node. Rejects when `signal` aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

/**
 * Reads the lag from Kafka again and again, also while nothing arrives: what the consumer itself sees freezes then. A
 * reading that takes longer than `everyMs` counts as failed, and no other is begun while it is still under way.
 */
export const lagMonitor = (options: LagMonitorOptions) => {
  const { group, everyMs, telemetry } = options;
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal, ref: false }));
  const stopping = new AbortController();
  const read = oneAtATime(options.read);

  const readOnce = async (): Promise<void> => {
    const reading = new AbortController();
    const signal = AbortSignal.any([reading.signal, stopping.signal]);
    const late = wait(everyMs, signal).then(() => Promise.reject(new Error(`no answer within ${everyMs} ms`)));
    try {
      telemetry.lagRead(group, await Promise.race([read(signal), late]));
    } catch (error) {
      if (!stopping.signal.aborted) telemetry.lagReadFailed(error);
    } finally {
      reading.abort();
    }
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await readOnce();
      await wait(everyMs, stopping.signal).catch(() => undefined);
    }
  };
  const running = loop();

  return {
    /** Resolves when the loop has ended; a reading that ignores its signal may outlive it. Idempotent. */
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
};

const oneAtATime = (read: LagMonitorOptions['read']): LagMonitorOptions['read'] => {
  let isReading = false;
  return async (signal) => {
    if (isReading) throw new Error('the last reading has not ended yet');
    isReading = true;
    try {
      return await read(signal);
    } finally {
      isReading = false;
    }
  };
};
