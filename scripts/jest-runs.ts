/** Runs jest over one folder of tests after the other and adds up what it says. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { heldByParent } from './end-with-parent.ts';

export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: readonly string[] };

/** The part of `jest --json` that counts. */
export type JestReport = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
};

const project = join(import.meta.dirname, '..');

/**
 * A file that could not be loaded, and a jest that failed without a failing test (it left something running, it
 * crashed), count as one failure each: nothing that went wrong may leave the sum green.
 */
export const tallyOf = (report: JestReport | undefined, isExitClean: boolean): Tally => {
  if (!report) return { passed: 0, failed: 1, skipped: [] };
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const isSkipped = ({ status }: { status: string }): boolean => status === 'pending' || status === 'todo';
  const skipped = report.testResults
    .flatMap((file) => file.assertionResults.filter(isSkipped))
    .map((one) => one.fullName);
  return { passed: report.numPassedTests, failed: failed === 0 && !isExitClean ? 1 : failed, skipped };
};

export const sum = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((total, { passed }) => total + passed, 0),
  failed: tallies.reduce((total, { failed }) => total + failed, 0),
  skipped: tallies.flatMap(({ skipped }) => skipped),
});

/** The last line of a run, which other programs read. */
export const closingLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`;

const readReport = async (file: string): Promise<JestReport | undefined> => {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as JestReport);
};

const exitGraceMs = 15_000;

/** Resolves when jest is gone. One that has written its report and does not end was kept by something left running. */
const runJest = async (
  args: readonly string[],
  reportFile: string,
  env: Readonly<Record<string, string>>,
): Promise<boolean> => {
  const ending = join(import.meta.dirname, 'ending-with-parent.ts');
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--import', ending];
  const child = spawn(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', ...args], {
    cwd: project,
    env: { ...process.env, ...env, ...heldByParent },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const exit = new Promise<number | null>((resolve, reject) => child.on('exit', resolve).on('error', reject));
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!(await readReport(reportFile).catch(() => undefined))) await sleep(500, undefined, { signal: over.signal });
    await sleep(exitGraceMs, undefined, { signal: over.signal });
    console.error(`jest is still running ${exitGraceMs / 1000} s after its last test: a test left something running`);
    child.kill('SIGKILL');
  };
  void watch().catch(() => undefined); // aborted: jest ended by itself
  const code = await exit;
  over.abort();
  return code === 0;
};

/** Runs the tests under test/ whose path begins like that. `args` go to jest as they are. */
export const runSuite = async (
  suite: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Tally> => {
  const dir = await mkdtemp(join(tmpdir(), 'immutrail-jest-'));
  const reportFile = join(dir, 'report.json');
  try {
    const fixed = ['--rootDir', project, '--passWithNoTests', '--json', `--outputFile=${reportFile}`];
    const isExitClean = await runJest([`test/${suite}`, ...fixed, ...args], reportFile, env);
    return tallyOf(await readReport(reportFile), isExitClean);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
};
