import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { tableOf } from '../src/cli/output.ts';
import { loadConfig } from '../src/config.ts';
import { median } from './figures.ts';
import { main, type Result } from './site.ts';

export type Results = ReadonlyMap<string, readonly Result[]>;

const columns: readonly [head: string, field: string, digits: number][] = [
  ['p50 ms', 'p50', 1],
  ['p99 ms', 'p99', 1],
  ['peak RSS MB', 'peakRssMb', 0],
  ['CPU µs/event', 'cpuUsPerEvent', 1],
  ['entries/tx', 'entriesPerTx', 0],
];

const ratios: readonly [label: string, of: string, to: string, field?: string, toField?: string][] = [
  ['pipeline/setall1', 'pipeline', 'setall1'],
  ['pipeline/setall1 synced as ours', 'pipeline', 'setall1 synced as ours'],
  ['pipeline/setall4', 'pipeline', 'setall4'],
  ['pipeline/naive', 'pipeline', 'naive'],
  ['pipeline/indexed', 'pipeline', 'indexed'],
  ['audit/pipeline', 'audit', 'pipeline'],
  ['pipeline/without proofs', 'pipeline', 'pipeline without proofs'],
  ['worst/setall1', 'worst', 'setall1'],
  ['repeats/pipeline', 'repeats', 'pipeline'],
  ['latency p99/setall-one p50', 'latency', 'setall-one', 'p99', 'p50'],
  ['latency p99/setall-one synced as ours p50', 'latency', 'setall-one synced as ours', 'p99', 'p50'],
];

/** A row for each name and a line for each ratio, of medians. */
export const reportOf = (results: Results): string => {
  const med = (name: string, field = 'eventsPerSecond') =>
    median((results.get(name) ?? []).map((result) => result[field] ?? 0));
  const rows = [...results].map(([name, list]) => {
    const cell = (field: string, digits: number) =>
      list.some((result) => result[field] !== undefined) ? med(name, field).toFixed(digits) : '';
    const each = list.map((result) => result['eventsPerSecond'] ?? '').join(', ');
    return [name, cell('eventsPerSecond', 0), each, ...columns.map(([, field, digits]) => cell(field, digits))];
  });
  const lines = ratios.flatMap(([label, of, to, field, toField]) => {
    const [a, b] = [med(of, field), med(to, toField)];
    return a > 0 && b > 0 ? [`ratio ${label}: ${(a / b).toFixed(2)}`] : [];
  });
  const head = ['', 'events/s', 'each run', ...columns.map(([name]) => name)];
  return `${tableOf(head, rows, [1, 3, 4, 5, 6, 7])}\n\n${lines.join('\n')}`;
};

/** docs/benchmarks.md: what was measured, by what command, where and when. */
export const writeReport = (text: string, { events, rounds }: { events: number; rounds: number }): void => {
  const command = `npm run bench -- --events ${events} --rounds ${rounds}`;
  // Defaults: of the password only that its file is there counts.
  const { batch, kafka } = loadConfig({ environment: { IMMUTRAIL_LEDGER_PASSWORD_FILE: import.meta.filename } });
  const day = new Date().toISOString().slice(0, 10);
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? ''}), ${Math.round(totalmem() / 2 ** 30)} GiB, servers beside the load`;
  writeFileSync(
    join(main, 'docs/benchmarks.md'),
    `# Benchmarks

Made by \`${command}\` on ${day}: ${machine}. Medians of ${rounds} interleaved rounds; a single run differs by up to a factor of two, so only the ratios of one run count. What is measured is said in bench/run.ts: 1 KB events, UUIDv7, no compression, one broker.

- \`setall1\`, \`setall4\`: bare SetAll of 1,000 events with 1 and 4 calls in flight, into a database as immudb makes it, like that of the Go pipelines
- \`synced as ours\`: the same, into a database with the settings that \`immutrail init\` makes (decision 15)
- \`pipeline\`: exactly once, indexed and checked, 10 events per correlation
- \`audit\`: \`immutrail audit\` of what the pipeline wrote, compared with Kafka
- \`pipeline without proofs\`: the same, but headers are not followed and no dual proof is asked for
- \`worst\`: each event its own correlation, times over a day
- \`repeats\`: half of the events repeat earlier ids
- \`naive\`, \`indexed\`: Go pipelines that are not exactly once
- \`latency\`: from the broker's acknowledgement to the committed transaction at 1,000 events/s, with batch.maxAgeMs ${batch.maxAgeMs} and kafka.fetchMaxWaitMs ${kafka.fetchMaxWaitMs}
- \`setall-one\`: bare SetAll of one event

\`\`\`
${text}
\`\`\`
`,
  );
};
