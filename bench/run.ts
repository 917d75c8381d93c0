/**
 * `npm run bench`: how fast is the pipeline on this machine, beside bare SetAll and beside the Go pipelines of
 * ../shared/bench, over the same topics, in one run on one stack. Machines are noisy: rounds are interleaved, medians
 * and ratios count. Writes docs/benchmarks.md. Options: options.ts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerSettings } from '../src/sinks/immudb/admin.ts';
import { benchEvents, repeatingEvents } from './events.ts';
import { latency } from './latency.ts';
import { optionsOf } from './options.ts';
import { reportOf, writeReport } from './report.ts';
import { main, openBenchSite, resultOf, run, say, type BenchSite, type Environment, type Result } from './site.ts';

const values = optionsOf(process.argv.slice(2));
const { events, rounds } = values;
const goBench = join(main, '../shared/bench/go');
const dayMs = 86_400_000;

const buildGo = async (folder: string): Promise<string | null> => {
  if (!existsSync(goBench)) {
    say('skipped: naive and indexed, since ../shared/bench/go is not there');
    return null;
  }
  const binary = join(folder, 'auditbench');
  try {
    await run('go', ['build', '-o', binary, '.'], { cwd: goBench });
    return binary;
  } catch (error) {
    say(`skipped: naive and indexed, since Go could not build them (${String(error).split('\n')[0] ?? ''})`);
    return null;
  }
};

type Row = readonly [name: string, measure: () => Promise<Result>];

/** The rows of one round, in their order; what they read is loaded before. */
const rowsOf = async (site: BenchSite, wants: (name: string) => boolean): Promise<readonly Row[]> => {
  const now = Date.now();
  const stories = { count: events, perCorrelation: 10, sizeBytes: 1000, startMs: now - 60_000, timeSpreadMs: 60_000 };
  const lone = { ...stories, perCorrelation: 1, startMs: now - dayMs, timeSpreadMs: dayMs };
  say(`preloading ${events} events of 1 KB into each topic`);
  const topic = await site.newTopic('stories', benchEvents(stories));
  const worst = wants('worst') ? await site.newTopic('worst', benchEvents(lone)) : '';
  const repeats = wants('repeats') ? await site.newTopic('repeats', repeatingEvents(stories)) : '';
  const go = wants('naive') || wants('indexed') ? await buildGo(site.folder) : null;
  let ledger: Environment = {};
  const pipeline = async (from: string, ...more: readonly string[]) => {
    ledger = await site.newLedger(from);
    return resultOf(site.startPipeline(ledger, String(events), ...more));
  };
  const goRow = (command: string): Row[] =>
    go === null ? [] : [[command, () => site.goPipeline(go, command, topic, events)]];
  const rows: readonly Row[] = [
    ['setall1', () => site.setAll(events, 1, 1000)],
    ['setall1 synced as ours', () => site.setAll(events, 1, 1000, ledgerSettings)],
    ['pipeline', () => pipeline(topic)],
    ['audit', () => site.audit(ledger)],
    ['pipeline without proofs', () => pipeline(topic, '--without-proofs')],
    ...goRow('naive'),
    ['setall4', () => site.setAll(events, 4, 1000)],
    ...goRow('indexed'),
    ['worst', () => pipeline(worst)],
    ['repeats', () => pipeline(repeats)],
    ['setall-one', () => site.setAll(300, 1, 1)],
    ['setall-one synced as ours', () => site.setAll(300, 1, 1, ledgerSettings)],
    ['latency', () => latency(site)],
  ];
  return rows.filter(([name]) => wants(name));
};

const wants = (name: string) => values.only?.split(',').includes(name) ?? true;
const site = await openBenchSite({ profile: values.profile });
try {
  const rows = await rowsOf(site, wants);
  const results = new Map<string, Result[]>(rows.map(([name]) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round} of ${rounds}`);
    for (const [name, measure] of rows) {
      const result = await measure();
      results.get(name)?.push(result);
      say(`${name}: ${JSON.stringify(result)}`);
    }
  }
  const text = reportOf(results);
  console.log(text);
  if (values.only === undefined || values.write) writeReport(text, { events, rounds });
} finally {
  await site.close();
}
