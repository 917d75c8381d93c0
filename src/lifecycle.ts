import { setTimeout as sleep } from 'node:timers/promises';

export type Step = {
  readonly name: string;
  /** After so long the step is given up and the next one begins. */
  readonly deadlineMs: number;
  readonly close: () => Promise<unknown>;
};

export type StepEnded = (step: string, tookMs: number, error?: unknown) => void;

/** What was opened, in order, and how each is closed: in the reverse order, each with its own deadline. */
export type Lifecycle = {
  /** Call it as soon as something is open, so that a start that fails later closes it too. */
  opened(step: Step): void;
  /**
   * Closes everything that is open, last opened first. A step that fails or is too slow never skips those after it.
   * Resolves when all ended, with the number of steps that did not end well; the same promise for every caller.
   */
  stop(): Promise<number>;
};

export const lifecycle = (stepEnded: StepEnded, now: () => number = () => performance.now()): Lifecycle => {
  const open: Step[] = [];
  let stopping: Promise<number> | null = null;

  const closeAll = async (): Promise<number> => {
    let failed = 0;
    for (let step = open.pop(); step !== undefined; step = open.pop()) {
      const started = now();
      const error = await closeWithin(step);
      if (error !== undefined) failed += 1;
      stepEnded(step.name, now() - started, error);
    }
    return failed;
  };

  return {
    opened: (step) => {
      open.push(step);
      // What a start still opens while everything stops is closed at once.
      if (stopping !== null) stopping = stopping.then(async (failed) => failed + (await closeAll()));
    },
    stop: () => (stopping ??= closeAll()),
  };
};

const closeWithin = async ({ name, deadlineMs, close }: Step): Promise<unknown> => {
  const giveUp = new AbortController();
  const late = sleep(deadlineMs, undefined, { signal: giveUp.signal }).then(() => {
    throw new Error(`${name} did not end within ${deadlineMs} ms`);
  });
  try {
    const closing = close();
    // What is given up may still reject later, when nobody listens any more.
    closing.catch(() => undefined);
    await Promise.race([closing, late]);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    giveUp.abort();
    late.catch(() => undefined);
  }
};
