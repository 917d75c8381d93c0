/**
 * A lock between processes, held by a file that names its holder. Node has no flock, and a plain lock file stays when
 * its holder is killed; so locks are numbered: whoever finds every lock file's holder dead makes the next number.
 * `link` makes the file with its content in one step and fails if it exists, so of several that try only one wins.
 */
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

type Held = { readonly number: number; readonly pid: number };

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

const readLocks = async (dir: string): Promise<Held[]> => {
  const numbers = (await readdir(dir))
    .map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? NaN))
    .filter((number) => !Number.isNaN(number));
  const read = async (number: number): Promise<Held> => ({
    number,
    pid: Number(await readFile(join(dir, `lock.${number}`), 'utf8').catch(() => '0')), // released meanwhile: nobody
  });
  return Promise.all(numbers.sort((a, b) => a - b).map(read));
};

const isMade = async (from: string, to: string): Promise<boolean> => {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
};

export type LockOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Told once, with the process id of the holder, when there is somebody to wait for. */
  readonly onWait?: ((pid: number) => void) | undefined;
};

/** Runs `work` while no other process runs work under the lock in `dir`. A holder that was killed holds nothing. */
export const withLock = async <T>(
  dir: string,
  work: () => Promise<T>,
  { signal, onWait }: LockOptions = {},
): Promise<T> => {
  await mkdir(dir, { recursive: true });
  const draft = join(dir, `draft.${process.pid}`);
  await writeFile(draft, String(process.pid));
  try {
    const mine = await acquire(dir, draft, signal, onWait);
    try {
      return await work();
    } finally {
      await release(dir, mine);
    }
  } finally {
    await rm(draft, { force: true });
  }
};

const acquire = async (
  dir: string,
  draft: string,
  signal?: AbortSignal,
  onWait?: (pid: number) => void,
): Promise<number> => {
  for (let hasSaid = false; ;) {
    const locks = await readLocks(dir);
    const holder = locks.find(({ pid }) => pid > 0 && isAlive(pid));
    const next = (locks.at(-1)?.number ?? 0) + 1;
    if (!holder && (await isMade(draft, join(dir, `lock.${next}`)))) return next;
    if (holder && !hasSaid) onWait?.(holder.pid);
    hasSaid ||= holder !== undefined;
    await sleep(200, undefined, signal ? { signal } : {});
  }
};

/** Clears up after those who were killed. Its own lock goes last: while it is there, nobody takes the next. */
const release = async (dir: string, mine: number): Promise<void> => {
  const drafts = (await readdir(dir)).filter((name) => /^draft\.\d+$/.test(name));
  for (const name of drafts) if (!isAlive(Number(name.slice(6)))) await rm(join(dir, name), { force: true });
  for (const { number } of await readLocks(dir))
    if (number < mine) await rm(join(dir, `lock.${number}`), { force: true });
  await rm(join(dir, `lock.${mine}`), { force: true });
};
