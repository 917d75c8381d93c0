import { setTimeout as sleep } from 'node:timers/promises';
import type { CommittedOffset } from '../source.ts';

export type OffsetCommitter = {
  /** True when the broker took these offsets or newer ones of the same partitions; never rejects. */
  commit(offsets: readonly CommittedOffset[], epoch: number): Promise<boolean>;
  /** A new epoch: what waits belongs to an older one and is forgotten. */
  reset(epoch: number): void;
  /** Sends at once what waits, and resolves when nothing is on its way. */
  idle(): Promise<void>;
};

/** Ten a second are enough for a hint. */
const defaultEveryMs = 100;

/**
 * Commits one request at a time, `everyMs` apart: a broker answers the requests of a connection one after the other, so
 * each commit may keep the next fetch waiting. What comes meanwhile is joined, newest offset of each partition winning,
 * so a slow coordinator never holds the ledger up and memory is one offset a partition.
 */
export const offsetCommitter = (
  broker: { commit(offsets: readonly CommittedOffset[]): Promise<void> },
  everyMs = defaultEveryMs,
): OffsetCommitter => {
  let current = 0;
  let waiting = new Map<number, CommittedOffset>();
  let round: Promise<boolean> | null = null;
  let nextRound: Promise<boolean> | null = null;

  let lastSentAt = -Infinity;
  let hurry = Promise.withResolvers<undefined>();

  const pause = async (): Promise<void> => {
    const leftMs = lastSentAt + everyMs - performance.now();
    if (leftMs <= 0) return;
    const end = new AbortController();
    await Promise.race([hurry.promise, sleep(leftMs, undefined, { signal: end.signal }).catch(() => undefined)]);
    end.abort();
  };
  const send = async (): Promise<boolean> => {
    await pause();
    lastSentAt = performance.now();
    const offsets = [...waiting.values()];
    waiting = new Map();
    nextRound = null;
    try {
      // Empty: a new epoch has begun meanwhile, and what waited was forgotten.
      if (offsets.length === 0) return false;
      await broker.commit(offsets);
      return true;
    } catch {
      return false;
    }
  };
  const start = (): Promise<boolean> => {
    const sent = (round ?? Promise.resolve(true)).then(send);
    round = sent;
    void sent.then(() => {
      if (round === sent) round = null;
    });
    return sent;
  };

  return {
    commit: (offsets, epoch) => {
      if (epoch !== current) return Promise.resolve(false);
      for (const offset of offsets) waiting.set(offset.partition, offset);
      nextRound ??= start();
      return nextRound;
    },
    reset: (epoch) => {
      current = epoch;
      waiting = new Map();
    },
    idle: async () => {
      hurry.resolve(undefined);
      while (round !== null) await round;
      hurry = Promise.withResolvers();
    },
  };
};
