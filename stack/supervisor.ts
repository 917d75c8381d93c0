/**
 * A process of its own that owns the servers of one stack: `node supervisor.ts <data folder>`.
 *
 * Nothing outlives its parent, whoever is killed with -9:
 * - the parent dies: this process reads the end of its standard input and ends its whole process group;
 * - this process dies: the guard (guard.sh, a session of its own) reads the end of its pipe and does the same;
 * - the guard dies: this process ends everything itself, since nobody would watch it any more.
 * The guard removes the data folder. It shares standard output with this process, so the parent sees the end of that
 * pipe only when the servers and their data are gone.
 *
 * Requests and answers are lines of JSON; supervised.ts is the other side.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

export type Request =
  | {
      readonly id: number;
      readonly action: 'spawn';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly logFile: string;
    }
  | { readonly id: number; readonly action: 'signal'; readonly pid: number; readonly signal: NodeJS.Signals };

export type Answer =
  | { readonly id: number; readonly pid: number }
  | { readonly id: number; readonly error: string }
  | { readonly exited: number; readonly code: number | null; readonly signal: string | null };

const dataDir = process.argv[2];
if (dataDir === undefined) throw new Error('usage: supervisor.ts <data folder>');

const children = new Map<number, ChildProcess>();
const say = (answer: Answer): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
/** Ends the servers, and this process with them: a process group dies at once or not at all. */
const endGroup = (): void => void process.kill(-process.pid, 'SIGKILL');

const guard = spawn('/bin/sh', [`${import.meta.dirname}/guard.sh`, String(process.pid), dataDir], {
  detached: true,
  stdio: ['pipe', 'inherit', 'ignore'],
});
const actForGuard = (): void => {
  for (const child of children.values()) child.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  endGroup();
};
guard.on('exit', actForGuard).on('error', actForGuard);

const start = (request: Request & { action: 'spawn' }): void => {
  const log = openSync(request.logFile, 'a');
  const child = spawn(request.command, request.args, { env: { ...request.env }, stdio: ['ignore', log, log] });
  closeSync(log);
  child.on('error', (error) => say({ id: request.id, error: error.message }));
  const { pid } = child;
  if (pid === undefined) return;
  children.set(pid, child);
  child.on('exit', (code, signal) => {
    children.delete(pid);
    say({ exited: pid, code, signal });
  });
  say({ id: request.id, pid });
};

const handle = (request: Request): void => {
  if (request.action === 'spawn') {
    start(request);
    return;
  }
  const isSent = children.get(request.pid)?.kill(request.signal) ?? false;
  say(isSent ? { id: request.id, pid: request.pid } : { id: request.id, error: `no process ${request.pid} runs here` });
};

createInterface({ input: process.stdin })
  .on('line', (line) => handle(JSON.parse(line) as Request))
  .on('close', endGroup);
