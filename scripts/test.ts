/**
 * `npm test`: all tests; `npm test -- unit contract`: only these suites; `npm test -- unit/schemas`: a part of one;
 * what follows a further `--` goes to jest.
 * Its last line is `N passed, N failed`; it ends with 1 if anything failed, or if no test ran at all.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '../stack/start.ts';
import { endWithParent } from './end-with-parent.ts';
import { sharedStackOptions, writeSharedStack } from '../test/support/shared-stack-file.ts';
import { closingLine, runSuite, sum, type Tally } from './jest-runs.ts';

endWithParent();

/** `sharesServers`: its files share one stack; others start what they need themselves. */
type Suite = { readonly sharesServers: boolean; readonly jest: readonly string[] };

/** In this order. Tests of whole processes wait a lot, so there are more of them at a time than cores of a small machine. */
const suites: Readonly<Record<string, Suite>> = {
  unit: { sharesServers: false, jest: ['--maxWorkers=2'] },
  contract: { sharesServers: false, jest: ['--runInBand'] },
  integration: { sharesServers: true, jest: ['--maxWorkers=2'] },
  e2e: { sharesServers: true, jest: ['--maxWorkers=3'] },
  faults: { sharesServers: false, jest: ['--runInBand'] },
};
const byDefault = ['unit', 'contract', 'integration', 'e2e'];

const say = (line: string): void => {
  console.log(`immutrail: ${line}`);
};

/** Runs `work` beside a stack that all test files of a suite share. */
const withSharedStack = async <T>(work: (env: Record<string, string>) => Promise<T>): Promise<T> => {
  const stack = await startStack({ ...sharedStackOptions, onProgress: say });
  const dir = await mkdtemp(join(tmpdir(), 'immutrail-test-'));
  try {
    const file = join(dir, 'stack.json');
    await writeSharedStack(file, stack);
    return await work({ IMMUTRAIL_TEST_STACK: file });
  } finally {
    await stack.stop();
    await rm(dir, { recursive: true, force: true });
  }
};

const runNamed = async (name: string, jestArgs: readonly string[]): Promise<Tally> => {
  const suite = suites[name.split('/')[0] ?? name];
  if (!suite) throw new Error(`no suite is named "${name}"; there are ${Object.keys(suites).join(', ')}`);
  const started = performance.now();
  say(`test/${name} …`);
  const run = (env?: Record<string, string>): Promise<Tally> => runSuite(name, [...suite.jest, ...jestArgs], env);
  const tally = suite.sharesServers ? await withSharedStack(run) : await run();
  say(`test/${name}: ${closingLine(tally)} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return tally;
};

/** Tests start a hundred processes of the same sources, of which each would compile them all. */
const compiled = await mkdtemp(join(tmpdir(), 'immutrail-compiled-'));
process.env['NODE_COMPILE_CACHE'] = compiled;
const split = process.argv.indexOf('--', 2);
const names = process.argv.slice(2, split === -1 ? undefined : split);
const jestArgs = split === -1 ? [] : process.argv.slice(split + 1);
const tallies: Tally[] = [];
for (const name of names.length > 0 ? names : byDefault) {
  const failure = (error: unknown): Tally => {
    console.error(error);
    return { passed: 0, failed: 1, skipped: [] };
  };
  tallies.push(await runNamed(name, jestArgs).catch(failure));
}
await rm(compiled, { recursive: true, force: true });
const total = sum(tallies);
for (const name of total.skipped) say(`skipped: ${name}`);
if (total.passed + total.failed === 0) say('no test ran');
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
console.log(closingLine(total));
