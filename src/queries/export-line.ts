import type { ExportedEvent } from './exported-events.ts';

/** The value as the ledger has it, with its transaction, on one line: line ends can only stand between its tokens. */
export const ndjsonLine = ({ tx, value }: ExportedEvent): string =>
  `{"tx":"${tx.toString()}",${value
    .toString()
    .slice(1)
    .replaceAll(/[\r\n]/g, ' ')}\n`;

const columns = [
  ...['event_timestamp', 'event_id', 'event_type', 'event_category', 'event_action', 'event_outcome', 'severity'],
  ...['correlation_id', 'actor_type', 'actor_id', 'resource_type', 'resource_id', 'namespace', 'event_data'],
] as const;
const places = ['log', 'partition', 'offset', 'sha256'] as const;

export const csvHeader = `${['tx', ...places, ...columns].map((name) => `"${name}"`).join(',')}\n`;

type Value = { readonly source: Readonly<Record<string, unknown>>; readonly event: Readonly<Record<string, unknown>> };

export const csvLine = ({ tx, value }: ExportedEvent): string => {
  const { source, event } = JSON.parse(value.toString()) as Value;
  const cells = [tx.toString(), ...places.map((name) => source[name]), ...columns.map((name) => event[name])];
  return `${cells.map(cell).join(',')}\n`;
};

/**
 * Always quoted, on one line, and never a formula: what begins as one for a spreadsheet (= + - @, tab) gets a quote
 * before it, which shows it as text.
 */
const cell = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const line = text.replaceAll(/[\r\n\u2028\u2029]/g, ' ');
  const safe = /^[\s\0]*[=+\-@\t|%\uff1d\uff0b\uff0d\uff20]/.test(line) ? `'${line}` : line;
  return `"${safe.replaceAll('"', '""')}"`;
};
