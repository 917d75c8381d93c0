/** Writes (`--write`) or compares (`--check`) every page that is made of the code: settings, errors, metrics, commands. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { format, resolveConfig } from 'prettier';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { documentedProgram } from './documented-program.ts';
import { settings, type Setting } from '../src/config/settings.ts';
import { errorTable, type ErrorEntry } from '../src/errors.ts';
import { envelopeRows, pageSections, type PageSection } from '../src/schemas/catalogue/page.ts';
import { rejectionTable } from '../src/schemas/rejection.ts';
import { metricTable, type MetricEntry } from '../src/telemetry/metric-table.ts';

const made = 'This page is made of the code by `npm run docs`; `npm run check` compares it.';
const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (head: readonly string[], rows: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const initialOf = ({ initial }: Setting): string => {
  if (initial === undefined) return 'required';
  if (Array.isArray(initial) && initial.length === 0) return 'none';
  return initial === null ? 'unset' : `\`${Array.isArray(initial) ? initial.join(',') : String(initial)}\``;
};

const configuration = () => {
  const groups = Map.groupBy(settings, ({ path }) => path.slice(0, -1).join('.'));
  const sections = [...groups].map(([group, list]) => {
    const rows = list.map((one) => [
      `\`${one.path.at(-1) ?? ''}\`<br>\`${one.variable}\``,
      one.meaning + (one.unit ? ` Unit: ${one.unit}.` : ''),
      one.allowed,
      initialOf(one),
    ]);
    return `## ${group}\n\n${table(['setting and variable', 'meaning', 'allowed', 'default'], rows)}`;
  });
  return `# Configuration\n\n${made}\n\nSettings come from environment variables and from a YAML file (\`--config\` or \`IMMUTRAIL_CONFIG\`), whose nesting is that of the headings; variables go before the file. All problems are reported at once. Secrets are read from files only. \`immutrail config\` prints what is in force.\n\n${sections.join('\n\n')}\n`;
};

const environment = () =>
  [
    '# Every variable of immutrail with its default; docs/configuration.md says what they mean. Made by `npm run docs`.',
    ...settings.map((one) => {
      const value = one.initial === null || one.initial === undefined ? '' : String(one.initial);
      const isSet = one.initial !== null && one.initial !== undefined;
      return `\n# ${one.meaning}\n${isSet || one.initial === undefined ? '' : '#'}${one.variable}=${value}`;
    }),
    '',
  ].join('\n');

const errors = () => {
  const rows = Object.entries<ErrorEntry>(errorTable).map(([code, entry]) => [
    `\`${code}\``,
    entry.disposition,
    String(entry.exitCode),
    entry.meaning,
    entry.advice,
  ]);
  const rejections = Object.entries(rejectionTable).map(([code, entry]) => [
    `\`${code}\``,
    entry.meaning,
    entry.advice,
  ]);
  const codes = exitCodes().map(({ code, meaning }) => [String(code), meaning]);
  return `# Errors\n\n${made}\n\n\`retry\`: the outside is at fault; the pipeline waits, holds its partitions and dead-letters nothing. \`halt\`: the offset stays, and the process ends with the exit code. \`usage\`: nothing was changed.\n\n${table(['code', 'disposition', 'exit code', 'meaning', 'what to do'], rows)}\n\n## Why a record is dead-lettered\n\n${table(['code', 'meaning', 'what to do'], rejections)}\n\n## Exit codes\n\n${table(['exit code', 'meaning'], codes)}\n`;
};

const metrics = () => {
  const rows = Object.entries<MetricEntry>(metricTable).map(([name, entry]) => [
    `\`${name}\``,
    entry.kind,
    entry.labels.map((label) => `\`${label}\``).join(', '),
    entry.help,
  ]);
  return `# Metrics\n\n${made}\n\nServed at \`/metrics\`, with the process metrics of prom-client.\n\n${table(['metric', 'kind', 'labels', 'meaning'], rows)}\n`;
};

const eventGroup = ({ types, rows }: PageSection['groups'][number]) => {
  const lines = table(['event_type', 'when', 'action', 'outcome', 'builder'], types);
  return `${lines}\n\n${table(['event_data', '', 'allowed'], rows)}`;
};
const events = () => {
  const sections = pageSections().map(
    ({ title, intro, groups }) => `## ${title}\n\n${intro}\n\n${groups.map(eventGroup).join('\n\n')}`,
  );
  return `# Events\n\n${made} The catalogue is \`src/schemas/catalogue\`, of which JSON Schema and Avro are made, too (\`immutrail schemas print\`).\n\nA record holds one event: plain JSON, or JSON or Avro in the frame of a schema registry. Categories and types are an open vocabulary: an event whose type is not here is accepted on its envelope. Of a type that is here the payload is checked (\`payloads.check\`: enforce, warn, off). Fields that are not here are kept and not judged. Null in an optional field counts as absent. Lengths are in Unicode code points. \`event_data\` may have 256 KiB and nest 10 deep, the whole event 1 MiB. A payload may repeat its \`event_type\`, and then it must be the same.\n\n## Envelope\n\n${table(['field', '', 'allowed'], envelopeRows())}\n\n${sections.join('\n\n')}\n`;
};

const commandLine = () => {
  const helpOf = (command: Command, name: string): string[] => {
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 100 });
    command.outputHelp();
    const own = `## ${name}\n\n\`\`\`text\n${text.trim()}\n\`\`\``;
    return [own, ...command.commands.flatMap((child) => helpOf(child, `${name} ${child.name()}`))];
  };
  return `# Command line\n\n${made}\n\n${helpOf(documentedProgram(), 'immutrail').join('\n\n')}\n`;
};

const pages: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configuration,
  '.env.example': environment,
  'docs/errors.md': errors,
  'docs/metrics.md': metrics,
  'docs/events.md': events,
  'docs/cli.md': commandLine,
};

const isWriting = process.argv.includes('--write');
mkdirSync(new URL('../docs', import.meta.url), { recursive: true });
for (const [path, make] of Object.entries(pages)) {
  const file = new URL(`../${path}`, import.meta.url);
  const options = { ...(await resolveConfig(file)), filepath: file.pathname };
  const text = path.endsWith('.md') ? await format(make(), options) : make();
  if (isWriting) {
    writeFileSync(file, text);
    continue;
  }
  const there = ((): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  })();
  if (there === text) continue;
  console.error(`${path} is not what the code says: run \`npm run docs\``);
  process.exitCode = 1;
}
