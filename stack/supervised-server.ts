import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Server } from './stack.ts';
import type { Command, Exit, Supervised, Supervisor } from './supervised.ts';

export type ServerSpec = Command & {
  readonly name: string;
  /** Resolves true when the server can do its work; asked again and again until then. May reject. */
  readonly answers: () => Promise<boolean>;
};

const startDeadlineMs = 180_000;
const stopDeadlineMs = 60_000;

/** The end of a log, for an error's message. */
export const lastLines = async (file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-25).join('\n') || '(its log is empty)';
};

const whenAnswering = async ({ answers }: ServerSpec, signal: AbortSignal): Promise<void> => {
  while (!(await answers().catch(() => false))) await sleep(100, undefined, { signal });
};

const startError = async (spec: ServerSpec, why: string, cause?: unknown): Promise<Error> =>
  new Error(`starting ${spec.name}: ${why}. The last lines of ${spec.logFile}:\n${await lastLines(spec.logFile)}`, {
    cause,
  });

const failed = async (spec: ServerSpec, exit: Promise<Exit>): Promise<never> => {
  const { code, signal } = await exit;
  throw await startError(spec, `it ended at once (${signal ?? `exit code ${code ?? '?'}`})`);
};

/** Starts the process and waits until it answers. Kills it again when it does not, or when `signal` says so. */
const startProcess = async (supervisor: Supervisor, spec: ServerSpec, signal?: AbortSignal): Promise<Supervised> => {
  signal?.throwIfAborted();
  const process = await supervisor.spawn(spec);
  const enough = new AbortController();
  const deadline = AbortSignal.any([enough.signal, AbortSignal.timeout(startDeadlineMs), ...(signal ? [signal] : [])]);
  try {
    await Promise.race([whenAnswering(spec, deadline), failed(spec, process.exited)]);
    return process;
  } catch (error) {
    await process.signal('SIGKILL').catch(() => undefined); // it may be gone already
    signal?.throwIfAborted();
    if (deadline.aborted) throw await startError(spec, `no answer after ${startDeadlineMs / 1000} s`, error);
    throw error;
  } finally {
    enough.abort();
  }
};

const run = promisify(execFile);
const stoppedDeadlineMs = 5_000;

/** A signal is only sent: on a busy machine the process goes on for a moment, and answers. */
const whenStopped = async (pid: number): Promise<void> => {
  const deadline = performance.now() + stoppedDeadlineMs;
  while (performance.now() < deadline) {
    const { stdout } = await run('ps', ['-o', 'stat=', '-p', String(pid)]);
    if (stdout.trimStart().startsWith('T')) return;
    await sleep(10);
  }
};

/** A `Server` under supervision, not yet started. `signal` ends a start that is under way. */
export const supervisedServer = (supervisor: Supervisor, spec: ServerSpec, signal?: AbortSignal): Server => {
  let running: Supervised | undefined;
  const tell = async (name: NodeJS.Signals): Promise<void> => {
    if (!running) throw new Error(`${spec.name} is not running: ${name} has nobody to go to`);
    await running.signal(name);
  };
  const end = async (name: NodeJS.Signals): Promise<void> => {
    const ending = running;
    if (!ending) return;
    await ending.signal(name).catch(() => undefined); // gone already: `exited` says so
    const late = sleep(stopDeadlineMs, 'late' as const, { ref: false });
    if ((await Promise.race([ending.exited, late])) === 'late')
      throw new Error(`stopping ${spec.name}: still running ${stopDeadlineMs / 1000} s after ${name}`);
  };
  return {
    name: spec.name,
    get pid() {
      return running?.pid;
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    start: async () => {
      if (running) return;
      const process = await startProcess(supervisor, spec, signal);
      running = process;
      void process.exited.then(() => (running = undefined));
    },
    pause: async () => {
      await tell('SIGSTOP');
      if (running) await whenStopped(running.pid);
    },
    resume: () => tell('SIGCONT'),
  };
};
