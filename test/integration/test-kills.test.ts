import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isRunning } from '../support/running.ts';
import { until } from '../support/until.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'immutrail-kills-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'tests, and what they started, end with the command that is sent %s',
  async (signal) => {
    const file = join(folder, signal);
    const script = new URL('../support/jest-parent.ts', import.meta.url).pathname;
    const parent = spawn(process.execPath, [script, file], { stdio: ['ignore', 'ignore', 'inherit'] });
    const read = async (): Promise<number[]> => JSON.parse(await readFile(file, 'utf8').catch(() => '[]')) as number[];
    await until(async () => (await read()).length === 2, { timeoutMs: 60_000, what: 'the test to run' });
    const started = await read();
    expect(started.filter(isRunning)).toEqual(started);
    parent.kill(signal);
    await until(() => started.filter(isRunning).length === 0, { timeoutMs: 10_000, what: 'everything to be gone' });
  },
  90_000,
);
