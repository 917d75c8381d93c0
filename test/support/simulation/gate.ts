import type { VirtualTime } from './virtual-time.ts';

/**
 * A process as the operating system sees it: whatever comes to it passes here. Stopped (SIGSTOP) it gets everything
 * late, killed (SIGKILL) nothing any more; what it has sent is on its way nevertheless.
 */
export const processGate = (time: VirtualTime) => {
  let resumesAt = 0;
  let isDead = false;
  const open = async (): Promise<void> => {
    while (!isDead && time.now() < resumesAt) await time.wait(resumesAt - time.now());
    if (isDead) await new Promise(() => undefined);
  };
  return {
    open,
    /** What comes back to the process. */
    through: async <T>(work: Promise<T>): Promise<T> => {
      await work.catch(() => undefined);
      await open();
      return await work;
    },
    stopFor: (ms: number) => (resumesAt = Math.max(resumesAt, time.now() + ms)),
    kill: () => (isDead = true),
    isDead: () => isDead,
  };
};

export type ProcessGate = ReturnType<typeof processGate>;
