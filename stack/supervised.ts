/** The parent's side of supervisor.ts: processes that end with this one. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Answer, Request } from './supervisor.ts';

export type Exit = { readonly code: number | null; readonly signal: string | null };

/** One process under supervision. `exited` resolves when it is gone and never rejects. */
export type Supervised = {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  signal(signal: NodeJS.Signals): Promise<void>;
};

export type Command = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Both of its outputs are appended here. */
  readonly logFile: string;
};

export type Supervisor = {
  /** Process id of the supervisor itself. */
  readonly pid: number;
  /** Resolves when the process runs; it may not answer yet. */
  spawn(command: Command): Promise<Supervised>;
  /** SIGKILL to all. Resolves when every process is gone and the data folder is removed. Idempotent. */
  end(): Promise<void>;
};

/** What servers see of this process's environment: nothing that could hold a secret or change what they do. */
const inheritedEnv = (): Record<string, string> => {
  const env: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'USER', 'LANG', 'TMPDIR', 'JAVA_HOME']) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
};

type Waiting = { resolve: (pid: number) => void; reject: (error: Error) => void };
type DistributedOmit<T> = T extends unknown ? Omit<T, 'id'> : never;

/** Starts a supervisor that owns `dataDir`: the folder is removed with the last of its processes. */
export const startSupervisor = (dataDir: string): Supervisor => {
  const child = spawn(process.execPath, [`${import.meta.dirname}/supervisor.ts`, dataDir], {
    detached: true,
    env: inheritedEnv(),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting = new Map<number, Waiting>();
  const exits = new Map<number, (exit: Exit) => void>();
  let lastId = 0;
  let isGone = false;

  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      isGone = true;
      for (const { reject } of waiting.values()) reject(new Error('the supervisor of the stack is gone'));
      for (const settle of exits.values()) settle({ code: null, signal: 'SIGKILL' });
      waiting.clear();
      exits.clear();
      resolve();
    });
  });
  child.stdin.on('error', () => undefined); // the supervisor died first: 'close' tells

  const ask = (request: DistributedOmit<Request>): Promise<number> =>
    new Promise((resolve, reject) => {
      if (isGone) {
        reject(new Error('the supervisor of the stack is gone'));
        return;
      }
      const id = ++lastId;
      waiting.set(id, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ ...request, id })}\n`);
    });

  // A process may exit before the one who asked for it has seen its id: the exit is then kept for it here.
  const early = new Map<number, Exit>();
  const hear = (answer: Answer): void => {
    if ('exited' in answer) {
      const { exited: pid, code, signal } = answer;
      const settle = exits.get(pid);
      exits.delete(pid);
      if (settle) settle({ code, signal });
      else early.set(pid, { code, signal });
      return;
    }
    const asker = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) asker?.reject(new Error(answer.error));
    else asker?.resolve(answer.pid);
  };
  createInterface({ input: child.stdout }).on('line', (line) => hear(JSON.parse(line) as Answer));

  const exitOf = (pid: number): Promise<Exit> => {
    const seen = early.get(pid);
    early.delete(pid);
    if (isGone) return Promise.resolve({ code: null, signal: 'SIGKILL' });
    return seen ? Promise.resolve(seen) : new Promise((resolve) => exits.set(pid, resolve));
  };

  return {
    pid: child.pid ?? -1,
    spawn: async ({ env = {}, ...command }) => {
      const pid = await ask({ action: 'spawn', ...command, env: { ...inheritedEnv(), ...env } });
      return {
        pid,
        exited: exitOf(pid),
        signal: async (signal) => {
          await ask({ action: 'signal', pid, signal });
        },
      };
    },
    end: () => {
      child.stdin.end();
      return ended;
    },
  };
};
