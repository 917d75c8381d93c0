import { setTimeout as sleep } from 'node:timers/promises';
import { asPipelineError } from './errors.ts';
import type { Telemetry } from './telemetry.ts';

/** Ends one thing. `signal` aborts at the deadline; what has not ended by then is left behind. */
export type Closer = (signal: AbortSignal) => Promise<void> | void;

/**
 * What was opened, to be closed in reverse order, each step with its own deadline. A step that fails or hangs never
 * skips the later ones.
 */
export type Lifecycle = {
  /**
   * Opens something and remembers how to close it. A failed start is unwound by the caller's `stop`; once stopping has
   * begun, what still opens is closed at once and `open` rejects.
   */
  open<T>(step: string, deadlineMs: number, start: () => Promise<T> | T, close: (opened: T) => Closer): Promise<T>;
  /**
   * Closes all. Resolves when every step has ended or used up its deadline, with the errors by step; never rejects.
   * Every call gets the same promise.
   */
  stop(): Promise<ReadonlyMap<string, Error>>;
};

type Step = { readonly step: string; readonly deadlineMs: number; readonly close: Closer };

export type LifecycleOptions = {
  readonly telemetry: Pick<Telemetry, 'stepEnded'>;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number;
  /** Default: the timer of Node. Rejects when `signal` aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

export const lifecycle = (options: LifecycleOptions): Lifecycle => {
  const { telemetry, now = () => performance.now() } = options;
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal }));
  const steps: Step[] = [];
  let stopped: Promise<ReadonlyMap<string, Error>> | undefined;
  const isStopping = (): boolean => stopped !== undefined;

  const end = async (one: Step): Promise<Error | undefined> => {
    const began = now();
    const error = await withinDeadline(one, wait);
    telemetry.stepEnded(`close ${one.step}`, now() - began, error);
    return error;
  };

  const endAll = async (): Promise<ReadonlyMap<string, Error>> => {
    const errors = new Map<string, Error>();
    for (let one = steps.pop(); one; one = steps.pop()) {
      const error = await end(one);
      if (error) errors.set(one.step, error);
    }
    return errors;
  };

  return {
    open: async (step, deadlineMs, start, close) => {
      if (isStopping()) throw stoppedWhile(step);
      const began = now();
      const opened = await start();
      const one = { step, deadlineMs, close: close(opened) };
      if (isStopping()) {
        await end(one);
        throw stoppedWhile(step);
      }
      steps.push(one);
      telemetry.stepEnded(`open ${step}`, now() - began);
      return opened;
    },
    stop: () => (stopped ??= endAll()),
  };
};

const stoppedWhile = (step: string): Error => new Error(`opening ${step}: the process is stopping`);

const withinDeadline = async (one: Step, wait: NonNullable<LifecycleOptions['wait']>): Promise<Error | undefined> => {
  const late = new AbortController();
  const ended = new AbortController();
  const deadline = wait(one.deadlineMs, ended.signal).then(() => {
    const error = new Error(`not closed within ${one.deadlineMs} ms`);
    late.abort(error);
    throw error;
  });
  try {
    await Promise.race([Promise.resolve(late.signal).then(one.close), deadline]);
    return undefined;
  } catch (error) {
    return asPipelineError(error, `closing ${one.step}`);
  } finally {
    ended.abort();
  }
};

/**
 * Runs `start` over a lifecycle of its own. Resolves with what it made and the lifecycle to stop; if `start` fails,
 * everything opened so far is closed before the promise rejects with the first error.
 */
export const started = async <T>(
  options: LifecycleOptions,
  start: (life: Lifecycle) => Promise<T>,
): Promise<{ readonly value: T; readonly life: Lifecycle }> => {
  const life = lifecycle(options);
  try {
    return { value: await start(life), life };
  } catch (error) {
    await life.stop();
    throw error;
  }
};
