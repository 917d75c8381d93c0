import type { Gap, LastRecord } from '../../../schemas/record.ts';
import { refuse } from './invalid.ts';
import {
  type MarkDead,
  type MarkDuplicate,
  readDead,
  readDuplicate,
  readGap,
  writeDead,
  writeDuplicate,
  writeGap,
} from './mark-rows.ts';
import { faultOfMark } from './mark-sum.ts';
import { type Members, requireWritten, valueMembers } from './members.ts';

/** The value of `mark/<log>/<partition>`: what one transaction says became of the offsets in [first, next). */
export type Mark = {
  readonly first: bigint;
  readonly next: bigint;
  /** The partition's mark before this one: its transaction and its `next`, which is this `first`. */
  readonly prev: { readonly tx: bigint; readonly next: bigint } | null;
  /** The last record delivered so far, carried forward. */
  readonly last: LastRecord | null;
  /** How many of the offsets are events stored by this very transaction. */
  readonly stored: number;
  readonly duplicates: readonly MarkDuplicate[];
  readonly dead: readonly MarkDead[];
  readonly gaps: readonly Gap[];
  /** Random per process start. */
  readonly writer: string;
  /** The writer could not compare the log with the mark before: the record at `prev`'s `last` was gone for a reason. */
  readonly unchecked?: true;
  /**
   * An operator's act, both or neither. With a gap: who accepted the loss. Covering nothing: who released the partition
   * that the breaker held; or, as `immutrail`, that the breaker holds it.
   */
  readonly by?: string;
  readonly why?: string;
};

/** In the place of a person: the breaker itself. No operator may act under this name. */
export const breakerName = 'immutrail';

/** Throws LEDGER_FORMAT_INVALID for what decodeMark would refuse: nothing is written that cannot be read. */
export const encodeMark = (mark: Mark): Buffer => {
  const value = Buffer.from(markText(mark));
  decodeMark('a mark to be written', value);
  return value;
};

const markText = (mark: Mark): string =>
  JSON.stringify({
    v: 1,
    first: String(mark.first),
    next: String(mark.next),
    prev: mark.prev && { tx: String(mark.prev.tx), next: String(mark.prev.next) },
    last: mark.last && {
      offset: String(mark.last.offset),
      timestamp: String(mark.last.timestamp),
      sha256: mark.last.sha256,
    },
    stored: mark.stored,
    duplicates: mark.duplicates.map(writeDuplicate),
    dead: mark.dead.map(writeDead),
    gaps: mark.gaps.map(writeGap),
    writer: mark.writer,
    unchecked: mark.unchecked,
    by: mark.by,
    why: mark.why,
  });

/** Throws LEDGER_FORMAT_INVALID, also for a mark with `handover`, which is reserved: a newer program closed the log. */
export const decodeMark = (key: string, value: Uint8Array): Mark => {
  const members = valueMembers(key, value);
  if (members.has('handover')) refuse(key, 'handover is reserved: a newer program wrote this mark');
  const mark = readMark(key, members);
  const fault = faultOfMark(mark);
  if (fault !== null) refuse(key, fault);
  requireWritten(key, value, Buffer.from(markText(mark)));
  return mark;
};

const readMark = (key: string, members: Members): Mark => {
  const by = members.optionalText('by');
  const why = members.optionalText('why');
  return {
    first: members.decimal('first'),
    next: members.decimal('next'),
    prev: readPrev(members.objectOrNull('prev')),
    last: readLast(members.objectOrNull('last')),
    stored: members.integer('stored', Number.MAX_SAFE_INTEGER),
    duplicates: members.list('duplicates').map((row) => rowOf(key, 'duplicates', row, readDuplicate)),
    dead: members.list('dead').map((row) => rowOf(key, 'dead', row, readDead)),
    gaps: members.list('gaps').map((row) => rowOf(key, 'gaps', row, readGap)),
    writer: members.text('writer'),
    ...(members.has('unchecked') && members.flag('unchecked') && { unchecked: true as const }),
    ...(by !== undefined && { by }),
    ...(why !== undefined && { why }),
  };
};

const readPrev = (members: Members | null): Mark['prev'] =>
  members && { tx: members.decimal('tx', 1n), next: members.decimal('next') };

/** Kafka states -1 for a record without a timestamp. */
const readLast = (members: Members | null): LastRecord | null =>
  members && {
    offset: members.decimal('offset'),
    timestamp: members.decimal('timestamp', -1n),
    sha256: members.sha256('sha256'),
  };

const rowOf = <T>(key: string, list: string, row: unknown, read: (row: readonly unknown[]) => T | null): T =>
  (Array.isArray(row) ? read(row) : null) ?? refuse(key, `${list} has a row that is no such row`);
