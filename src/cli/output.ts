import Table from 'cli-table3';
import pc from 'picocolors';
import { asPipelineError, PipelineError } from '../errors.ts';

/** Where a command writes: what was asked for to `out`, everything else to `err`. */
export type Output = {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly colour: boolean;
  /** Whether a person watches `err` on a terminal; only then is progress shown. */
  readonly isWatched: boolean;
};

export type Paint = ReturnType<typeof pc.createColors>;
export const paintOf = (output: Output): Paint => pc.createColors(output.colour);

/** What --json prints: one object, indented, 64-bit numbers as decimal strings. */
export const jsonOf = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part), 2);

/** A plain table: no lines, numbers to the right. */
export const tableOf = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly number[],
): string => {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, index) => (numeric.includes(index) ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    chars: blankChars,
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};

const blankChars = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
    .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'])
    .map((name) => [name, '']),
);

/** An error for a person: what, why, what to do. A stack only for what nobody foresaw, and only when asked for. */
export const errorText = (error: unknown, doing: string, options: { paint: Paint; verbose: boolean }): string => {
  const known = asPipelineError(error, doing);
  const { paint, verbose } = options;
  const lines = [`${paint.red('error')} ${known.code}: ${known.message}`];
  const cause = causeOf(known);
  if (cause !== null && !known.message.includes(cause)) lines.push(`  because: ${cause}`);
  lines.push(`  do:      ${known.entry.advice}`);
  if (known.code === 'UNEXPECTED' && verbose && known.stack !== undefined) lines.push(known.stack);
  return lines.join('\n');
};

const causeOf = (error: PipelineError): string | null => {
  const { cause } = error;
  if (!(cause instanceof Error)) return null;
  return cause.message.split('\n')[0] ?? null;
};
