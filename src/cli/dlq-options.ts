import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { PipelineError } from '../errors.ts';
import type { DeadLetterDesk, Reason } from '../redrive/desk.ts';
import type { Edit } from '../redrive/edit.ts';
import type { LetterFilter } from '../redrive/filter.ts';
import { parseLetterId } from '../redrive/letter-id.ts';
import { savedSelection } from '../redrive/saved-selection.ts';
import type { Selection } from '../redrive/select.ts';

/** What is typed to say which dead letters are meant, what is done, and who does it. */

/** As the filter, under the names that are typed. */
export type FilterFlags = Omit<LetterFilter, 'state' | 'codes' | 'correlationId'> & {
  readonly code?: readonly string[];
  readonly correlation?: string;
};

export type SelectionFlags = FilterFlags & { readonly all?: boolean; readonly selection?: string };
export type ActFlags = {
  readonly by?: string;
  readonly why?: string;
  readonly dryRun?: boolean;
  readonly limit?: number;
};

const whole =
  (name: string, min: number, max = Number.MAX_SAFE_INTEGER) =>
  (text: string) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`${name} is a whole number from ${min} to ${max}.`);
  };
export const wholeNumber = whole;

const offset = (name: string) => (text: string) => {
  if (/^\d{1,18}$/.test(text)) return text;
  throw new InvalidArgumentError(`${name} is an offset.`);
};

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const time = (name: string) => (text: string) => {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) return Date.now() - Number(count) * (unitMs[unit] ?? 0);
  const isDated = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text);
  const ms = isDated ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new InvalidArgumentError(
    `${name} is a time with a zone (2026-01-31T12:00Z), a day, or an age such as 90m or 2d.`,
  );
};

const codes = (text: string, before: readonly string[] = []) => [
  ...before,
  ...text.split(',').map((one) => one.trim()),
];

export const withFilters = (command: Command): Command =>
  command
    .option('--code <codes>', 'only these codes, separated by commas', codes)
    .option('--topic <topic>', 'only records of this topic')
    .option('--partition <n>', 'only records of this partition', whole('--partition', 0, 99_999))
    .option('--from-offset <n>', 'from this offset of the partition on', offset('--from-offset'))
    .option('--to-offset <n>', 'up to this offset, which is included', offset('--to-offset'))
    .option('--since <time>', "from this time of the record on: a time, or an age such as '90m', '2d'", time('--since'))
    .option('--until <time>', 'before this time', time('--until'))
    .option('--event-type <type>', 'only events of this type')
    .option('--correlation <id>', 'only events of this correlation')
    .option('--text <text>', "in the record's value, the message or the event id");

/** Of an act: filters, a saved selection, or ids as arguments. */
export const withSelection = (command: Command): Command =>
  withFilters(command.argument('[ids...]', 'dead letters by their ids, log/partition/offset'))
    .option('--all', 'every open one')
    .option('--selection <file>', 'those of a selection that `dlq redrive --dry-run --save` wrote')
    .option('--limit <n>', 'at most so many', whole('--limit', 1))
    .option('--dry-run', 'only say what would be done');

export const withReason = (command: Command): Command =>
  command
    .option('--by <name>', 'who decided it; kept in the ledger for ever (default: the setting redrive.operator)')
    .option('--why <reason>', 'why; kept in the ledger for ever');

export const filterOf = (flags: FilterFlags): LetterFilter => ({
  ...(flags.code !== undefined && { codes: flags.code }),
  ...(flags.topic !== undefined && { topic: flags.topic }),
  ...(flags.partition !== undefined && { partition: flags.partition }),
  ...(flags.fromOffset !== undefined && { fromOffset: flags.fromOffset }),
  ...(flags.toOffset !== undefined && { toOffset: flags.toOffset }),
  ...(flags.since !== undefined && { since: flags.since }),
  ...(flags.until !== undefined && { until: flags.until }),
  ...(flags.eventType !== undefined && { eventType: flags.eventType }),
  ...(flags.correlation !== undefined && { correlationId: flags.correlation }),
  ...(flags.text !== undefined && { text: flags.text }),
});

/** Exactly one of ids, filters, a saved selection and --all. */
export const selectionOf = (ids: readonly string[], flags: SelectionFlags, desk: DeadLetterDesk): Selection => {
  const filter = filterOf(flags);
  const hasFilter = Object.keys(filter).length > 0;
  const ways = [ids.length > 0, flags.selection !== undefined, hasFilter || flags.all === true].filter(Boolean).length;
  if (ways === 0) throw new PipelineError('USAGE', 'say which dead letters: ids, filters, --selection or --all');
  if (ways > 1) throw new PipelineError('USAGE', 'ids, --selection and filters: only one of them');
  if (ids.length > 0) return { kind: 'ids', ids: ids.map(parseLetterId) };
  return flags.selection === undefined ? { kind: 'filter', filter } : savedSelection(flags.selection, desk.ledgerId);
};

export const reasonOf = ({ by, why }: ActFlags, desk: DeadLetterDesk): Reason => {
  const who = by ?? desk.operator;
  if (who === null) throw new PipelineError('USAGE', 'say who acts: --by NAME, or the setting redrive.operator');
  if (why === undefined) throw new PipelineError('USAGE', 'say why: --why REASON');
  return { by: who.trim(), why: why.trim() };
};

export type EditFlags = {
  readonly set?: Readonly<Record<string, unknown>>;
  readonly newId?: boolean;
  readonly valueFile?: string;
};

/** `name=value`: JSON if it is JSON, else text; `name=` with nothing takes the member away. */
export const assignment = (text: string, before: Readonly<Record<string, unknown>> = {}) => {
  const [, name, value = ''] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined) throw new InvalidArgumentError('--set takes name=value.');
  return { ...before, [name]: value === '' ? null : jsonOrText(value) };
};

const jsonOrText = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
};

export const editOf = ({ set, newId, valueFile }: EditFlags): Edit => ({
  ...(set !== undefined && { set }),
  ...(newId === true && { newId }),
  ...(valueFile !== undefined && { value: bytesOf(valueFile) }),
});

const bytesOf = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new PipelineError('USAGE', `--value-file: ${file} cannot be read`, { cause });
  }
};
