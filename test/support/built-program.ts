import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { boundedHeap, boundedMalloc } from '../../scripts/memory-bounds.ts';
import type { Site } from './pipeline-process.ts';

/** What is measured is what is built, as in the container: to strip types takes 20 MB and more. */
export const builtProgram = new URL('../../dist/main.js', import.meta.url).pathname;
export const build = (): void => void execFileSync(process.execPath, ['scripts/build.ts']);

/** Of a running process, in MiB: the kernel keeps the peak of resident memory. */
export const peakMiBOf = (pid: number): number => {
  const [, kB = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kB) / 1024);
};

/** Tests that need it say aloud that they were skipped. */
export const testWithProc = existsSync('/proc/self/status') ? test : test.skip;
if (testWithProc === test.skip) {
  console.warn('skipped: peak memory is read from /proc, which this system does not have');
}

const tellPeak = new URL('./tell-peak.mjs', import.meta.url).pathname;

/** Runs a command to its end, which must be a good one, with the memory of the container. */
export const measured = async (site: Site, args: readonly string[]) => {
  const file = join(site.folder, 'peak');
  const began = performance.now();
  const done = await site.command(args, { ...boundedMalloc, PEAK_MEMORY_FILE: file }, [
    ...boundedHeap,
    '--import',
    tellPeak,
  ]);
  if (done.code !== 0) throw new Error(`immutrail ${args.join(' ')} ended with ${String(done.code)}: ${done.err}`);
  const seconds = (performance.now() - began) / 1000;
  return { out: done.out, seconds, peakMiB: Math.round(Number(await readFile(file, 'utf8')) / 1024) };
};
