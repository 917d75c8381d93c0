import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for a condition, never for a time. Rejects, naming `what`, when it does not come true within `timeoutMs`. */
export const until = async (
  condition: () => boolean | Promise<boolean>,
  { timeoutMs = 10_000, what, everyMs = 25 }: { timeoutMs?: number; what: string; everyMs?: number },
): Promise<void> => {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(everyMs);
  }
};
