import { setImmediate as turn } from 'node:timers/promises';

type Due = { readonly at: number; readonly order: number; readonly run: () => void };

/**
 * Time that passes only when nobody has anything left to do: all that happens in a simulation is promises and these
 * timers, so one turn of the event loop lets every promise settle, and then the next timer is due.
 */
export const virtualTime = () => {
  let nowMs = 0;
  let orders = 0;
  const due = new Set<Due>();

  const after = (ms: number, run: () => void): (() => void) => {
    const timer = { at: nowMs + Math.max(0, ms), order: orders++, run };
    due.add(timer);
    return () => due.delete(timer);
  };

  const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const abort = () => {
        cancel();
        reject(signal?.reason as Error);
      };
      if (signal?.aborted === true) {
        reject(signal.reason as Error);
        return;
      }
      const cancel = after(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      signal?.addEventListener('abort', abort, { once: true });
    });

  const nextOne = (): Due | undefined => {
    let next: Due | undefined;
    for (const timer of due) {
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer;
    }
    return next;
  };

  /** Lets time pass until `isOver`, which is asked after each timer. False: `untilMs` came first. */
  const run = async (isOver: () => boolean, untilMs: number): Promise<boolean> => {
    for (;;) {
      await turn();
      if (isOver()) return true;
      const next = nextOne();
      if (next === undefined || next.at > untilMs) return false;
      due.delete(next);
      nowMs = next.at;
      next.run();
    }
  };

  return { now: () => nowMs, after, wait, run };
};

export type VirtualTime = ReturnType<typeof virtualTime>;
