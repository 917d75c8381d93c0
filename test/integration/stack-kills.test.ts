import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { install } from '../../stack/install.ts';
import { isRunning } from '../support/running.ts';
import { until } from '../support/until.ts';

type Family = { readonly dir: string; readonly supervisor: number; readonly servers: readonly number[] };

const guardOf = (supervisor: number): number => {
  const lines = execFileSync('ps', ['-ax', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  const line = lines.find((one) => one.includes(`guard.sh ${supervisor} `));
  return Number(line?.trim().split(' ')[0]);
};

const startFamily = async (): Promise<{ parent: ChildProcess; family: Family }> => {
  const script = new URL('../support/stack-parent.ts', import.meta.url).pathname;
  const parent = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
  return { parent, family: JSON.parse(line) as Family };
};

const allGone = async ({ dir, supervisor, servers }: Family, guard: number): Promise<void> => {
  const left = (): number[] => [supervisor, guard, ...servers].filter(isRunning);
  await until(() => left().length === 0 && !existsSync(dir), {
    timeoutMs: 10_000,
    everyMs: 100,
    what: 'every process and its data to be gone',
  });
};

beforeAll(async () => {
  await install();
}, 600_000);

describe('nothing of a stack outlives it', () => {
  test.each(['parent', 'supervisor', 'guard'] as const)('when the %s is killed with -9', async (victim) => {
    const { parent, family } = await startFamily();
    const guard = guardOf(family.supervisor);
    try {
      expect([family.supervisor, guard, ...family.servers].filter((pid) => !isRunning(pid))).toEqual([]);
      process.kill({ parent: parent.pid ?? NaN, supervisor: family.supervisor, guard }[victim], 'SIGKILL');
      await allGone(family, guard);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  test('when everybody is asked to end at the same time', async () => {
    const { parent, family } = await startFamily();
    const guard = guardOf(family.supervisor);
    for (const pid of [parent.pid ?? NaN, ...family.servers, guard, family.supervisor]) process.kill(pid, 'SIGTERM');
    await allGone(family, guard);
  });
});
