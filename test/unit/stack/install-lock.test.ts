import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { withLock } from '../../../stack/install-lock.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'immutrail-lock-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const module = new URL('../../../stack/install-lock.ts', import.meta.url).href;

/** A process that takes the lock, says so, and holds it for `holdMs`. */
const holder = (holdMs: number) => {
  const script = `
    const { withLock } = await import(${JSON.stringify(module)});
    await withLock(${JSON.stringify(dir)}, async () => {
      console.log('in');
      await new Promise((resolve) => setTimeout(resolve, ${holdMs}));
      console.log('out');
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, said: () => once(child.stdout, 'data'), exited: once(child, 'exit') };
};

describe('lock between processes', () => {
  test('one at a time, and no file is left', async () => {
    const script = Array.from({ length: 3 }, () => holder(100));
    let inside = 0;
    let most = 0;
    for (const { child } of script) {
      child.stdout.on('data', (bytes: Buffer) => {
        for (const word of bytes.toString().trim().split('\n')) inside += word === 'in' ? 1 : -1;
        most = Math.max(most, inside);
      });
    }
    await Promise.all(script.map(({ exited }) => exited));
    expect(most).toBe(1);
    expect(await readdir(dir)).toEqual([]);
  });

  test('a holder killed with -9 holds nothing, and its files are cleared away', async () => {
    const { child, said, exited } = holder(60_000);
    await said();
    child.kill('SIGKILL');
    await exited;
    expect(await withLock(dir, () => Promise.resolve('mine'))).toBe('mine');
    expect(await readdir(dir)).toEqual([]);
  });

  test('the one who waits is told for whom, and can give up', async () => {
    const { child, said, exited } = holder(60_000);
    await said();
    const enough = new AbortController();
    const waiting: number[] = [];
    const onWait = (pid: number): void => {
      waiting.push(pid);
      enough.abort();
    };
    const never = withLock(dir, () => Promise.resolve('never'), { signal: enough.signal, onWait });
    await expect(never).rejects.toThrow(/abort/i);
    expect(waiting).toEqual([child.pid]);
    child.kill('SIGKILL');
    await exited;
  });

  test('work that fails gives the lock back', async () => {
    await expect(withLock(dir, () => Promise.reject(new Error('work')))).rejects.toThrow('work');
    expect(await withLock(dir, () => Promise.resolve('next'))).toBe('next');
  });
});
