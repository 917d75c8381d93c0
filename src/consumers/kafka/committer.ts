import type { CommittedOffset } from '../source.ts';

export type OffsetCommitter = {
  /** True when the broker took these offsets or newer ones of the same partitions; never rejects. */
  commit(offsets: readonly CommittedOffset[], epoch: number): Promise<boolean>;
  /** A new epoch: what waits belongs to an older one and is forgotten. */
  reset(epoch: number): void;
  /** Resolves when nothing is on its way. */
  idle(): Promise<void>;
};

/**
 * Commits one request at a time. What comes while one is on its way is joined, newest offset of each partition winning,
 * so a slow coordinator never holds the ledger up and memory is one offset a partition.
 */
export const offsetCommitter = (broker: {
  commit(offsets: readonly CommittedOffset[]): Promise<void>;
}): OffsetCommitter => {
  let current = 0;
  let waiting = new Map<number, CommittedOffset>();
  let round: Promise<boolean> | null = null;
  let nextRound: Promise<boolean> | null = null;

  const send = async (): Promise<boolean> => {
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
      while (round !== null) await round;
    },
  };
};
