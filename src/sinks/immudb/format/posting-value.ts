import type { EventFacts } from '../../../schemas/decoded.ts';
import { unpadTime } from './digits.ts';
import { isEventId } from './event-id.ts';
import { refuse } from './invalid.ts';
import { spanWidthUs } from './keys.ts';
import { valueMembers } from './members.ts';
import { isPostingKey, parseKey } from './parse-key.ts';

/** A row of corr, type and actor postings. */
export type EventRow = Pick<EventFacts, 'timeUs' | 'eventId'>;

/**
 * The rows of a time posting: the facts of its events. Throws LEDGER_FORMAT_INVALID, as decodePosting does.
 */
export const decodeTimePosting = (key: string, value: Uint8Array): EventFacts[] => {
  if (parseKey(key).kind !== 'time') refuse(key, 'not the key of a time posting');
  return rowsOf(key, value, readTimeRow);
};

/**
 * The rows of a corr, type or actor posting. Throws LEDGER_FORMAT_INVALID if the key is none of theirs, a row is no such
 * row, rows are not in order of (time, event_id), the first is not at the key's time, or the last breaks the span.
 */
export const decodePosting = (key: string, value: Uint8Array): EventRow[] => {
  const { kind } = parseKey(key);
  if (kind !== 'corr' && kind !== 'type' && kind !== 'actor') refuse(key, 'not the key of such a posting');
  return rowsOf(key, value, readRow);
};

const rowsOf = <T extends EventRow>(
  key: string,
  value: Uint8Array,
  read: (row: readonly unknown[]) => T | null,
): T[] => {
  const rows = valueMembers(key, value)
    .list('rows')
    .map((row, at) => (Array.isArray(row) ? read(row) : null) ?? refuse(key, `row ${at} is no such row`));
  checkSpan(key, rows);
  return rows;
};

const checkSpan = (key: string, rows: readonly EventRow[]): void => {
  const place = parseKey(key);
  const first = rows[0];
  const last = rows.at(-1);
  if (!isPostingKey(place) || first?.timeUs !== place.timeUs || last === undefined) {
    return refuse(key, "the first row is not at the key's time");
  }
  if (last.timeUs - first.timeUs >= spanWidthUs[place.span]) refuse(key, 'the rows lie further apart than the span');
  for (let at = 1; at < rows.length; at++) {
    if (!isBefore(rows[at - 1] ?? last, rows[at] ?? first)) refuse(key, `row ${at} is not in order`);
  }
};

const isBefore = (a: EventRow, b: EventRow): boolean =>
  a.timeUs < b.timeUs || (a.timeUs === b.timeUs && a.eventId < b.eventId);

const readRow = (row: readonly unknown[]): EventRow | null => (row.length === 2 ? readStart(row[0], row[1]) : null);

const readStart = (time: unknown, eventId: unknown): EventRow | null => {
  const timeUs = typeof time === 'string' ? unpadTime(time) : null;
  return timeUs === null || typeof eventId !== 'string' || !isEventId(eventId) ? null : { timeUs, eventId };
};

const readTimeRow = (row: readonly unknown[]): EventFacts | null => {
  const start = row.length === 12 ? readStart(row[0], row[1]) : null;
  const eventType = row[2];
  const category = row[3];
  const outcome = row[4];
  const severity = row[5];
  const correlationId = row[6];
  const actorType = row[7];
  const actorId = row[8];
  const resourceType = row[9];
  const resourceId = row[10];
  const namespace = row[11];
  if (start === null) return null;
  if (!isText(eventType) || !isText(category) || !isText(outcome) || !isText(correlationId)) return null;
  if (!isTextOrNull(severity) || !isTextOrNull(actorType) || !isTextOrNull(actorId)) return null;
  if (!isTextOrNull(resourceType) || !isTextOrNull(resourceId) || !isTextOrNull(namespace)) return null;
  const { timeUs, eventId } = start;
  const texts = { eventType, category, outcome, correlationId, severity };
  return { eventId, timeUs, ...texts, actorType, actorId, resourceType, resourceId, namespace };
};

const isText = (value: unknown): value is string => typeof value === 'string' && value.isWellFormed();

const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value);
