/** The rows in a mark's lists: what became of the offsets that are not simply stored. */
import type { Gap, GapReason } from '../../../schemas/record.ts';
import { maxLog, maxPartition } from './digits.ts';
import { isEventId } from './event-id.ts';
import type { Coordinates } from './keys.ts';
import { readDecimal, readInteger, readSha256 } from './members.ts';

export const gapReasons = ['control', 'aborted', 'absent', 'below_log_start'] as const satisfies readonly GapReason[];

/** This offset's record is an event that the ledger holds already; `sha256` is of this record's value. */
export type MarkDuplicate = { readonly offset: bigint; readonly eventId: string; readonly sha256: string };

/** This offset's record is a dead letter, at `dlq` on the dead-letter topic. */
export type MarkDead = {
  readonly offset: bigint;
  readonly code: string;
  readonly dlq: Coordinates;
  readonly sha256: string;
};

/** Text of a rejection code, such as `JSON_INVALID`. */
export const isCode = (text: string): boolean => /^[A-Z][A-Z0-9_]{0,63}$/.test(text);

export const writeDuplicate = (row: MarkDuplicate): readonly unknown[] => [String(row.offset), row.eventId, row.sha256];

export const writeDead = (row: MarkDead): readonly unknown[] => [
  String(row.offset),
  row.code,
  row.dlq.log,
  row.dlq.partition,
  String(row.dlq.offset),
  row.sha256,
];

export const writeGap = (row: Gap): readonly unknown[] => [String(row.from), String(row.to), row.reason];

/** The inverse of writeDuplicate; null for anything else. */
export const readDuplicate = (row: readonly unknown[]): MarkDuplicate | null => {
  const offset = readDecimal(row[0]);
  const eventId = row[1];
  const sha256 = readSha256(row[2]);
  if (offset === null || typeof eventId !== 'string' || !isEventId(eventId) || sha256 === null) return null;
  return { offset, eventId, sha256 };
};

/** The inverse of writeDead; null for anything else. */
export const readDead = (row: readonly unknown[]): MarkDead | null => {
  const at = readDecimal(row[0]);
  const code = row[1];
  const dlq = readCoordinates(row[2], row[3], row[4]);
  const sha256 = readSha256(row[5]);
  if (at === null || typeof code !== 'string' || !isCode(code) || dlq === null || sha256 === null) return null;
  return { offset: at, code, dlq, sha256 };
};

const readCoordinates = (first: unknown, second: unknown, third: unknown): Coordinates | null => {
  const log = readInteger(first, maxLog);
  const partition = readInteger(second, maxPartition);
  const offset = readDecimal(third);
  return log === null || partition === null || offset === null ? null : { log, partition, offset };
};

/** The inverse of writeGap; null for anything else. */
export const readGap = (row: readonly unknown[]): Gap | null => {
  const from = readDecimal(row[0]);
  const to = readDecimal(row[1]);
  const reason = gapReasons.find((one) => one === row[2]);
  return from === null || to === null || reason === undefined ? null : { from, to, reason };
};
