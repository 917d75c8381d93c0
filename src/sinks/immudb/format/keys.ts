/**
 * The keys of ledger format 1 (docs/ledger-format.md). All keys are ASCII, so that text order is immudb's byte order,
 * and at most 569 bytes whatever the data. Encoders throw LEDGER_FORMAT_INVALID for what the format cannot hold.
 */
import { padLog, padOffset, padPartition, padTime } from './digits.ts';
import { isEventId } from './event-id.ts';
import { refuse } from './invalid.ts';
import { type Pen, putAscii } from './pen.ts';
import { encodeSegment } from './segment.ts';

/** Where a record lies: a log (4 digits), a partition of it, an offset. */
export type Coordinates = { readonly log: number; readonly partition: number; readonly offset: bigint };

/** A posting's times lie less than its span's width apart. */
export type SpanLevel = 0 | 1 | 2;
export const spanLevels = [0, 1, 2] as const satisfies readonly SpanLevel[];
/** Widths in microseconds: one second, one minute, one hour. */
export const spanWidthUs = [1_000_000, 60_000_000, 3_600_000_000] as const;

/** The longest key that the format can make: an actor posting with two segments of 256 bytes. */
export const maxKeyBytes = 569;

export const formatKey = 'meta/format';
/** The format stated anew, `n` from 1 to 9999. */
export const restatedFormatKey = (n: number): string => `meta/format/${padLog(n)}`;
export const logKey = (log: number): string => `meta/log/${padLog(log)}`;
export const markKey = (log: number, partition: number): string => `mark/${padLog(log)}/${padPartition(partition)}`;

export const eventKey = (eventId: string): string => `event/${checkedEventId(eventId)}`;

export const putEventKey = (pen: Pen, eventId: string): void => {
  putAscii(pen, 'event/');
  putAscii(pen, checkedEventId(eventId));
};

const checkedEventId = (eventId: string): string => {
  if (!isEventId(eventId)) refuse('event_id', 'not a canonical lower-case UUID, or nil or max');
  return eventId;
};

export const deadKey = (at: Coordinates): string =>
  `dead/${padLog(at.log)}/${padPartition(at.partition)}/${padOffset(at.offset)}`;

/** Everything of one posting's key before the span: one list of postings, to scan or to extend. */
export type PostingHead = string & { readonly postingHead: unique symbol };

export const timeHead = 'time/' as PostingHead;
export const correlationHead = (correlationId: string): PostingHead =>
  `corr/${encodeSegment(correlationId)}/` as PostingHead;
export const typeHead = (eventType: string): PostingHead => `type/${encodeSegment(eventType)}/` as PostingHead;
export const actorHead = (actorType: string, actorId: string): PostingHead =>
  `actor/${encodeSegment(actorType)}/${encodeSegment(actorId)}/` as PostingHead;

/** Scan with this prefix: all postings of one list and span, in order of their smallest time. */
export const postingPrefix = (head: PostingHead, span: SpanLevel): string => `${head}${span}/`;

/** At or before every posting of this list and span whose smallest time is `timeUs` or later, after all earlier ones. */
export const postingSeek = (head: PostingHead, span: SpanLevel, timeUs: number): string =>
  `${head}${span}/${padTime(timeUs)}`;

/** `timeUs` is the posting's smallest time, `first` where the record of its first row lies. */
export const postingKey = (head: PostingHead, span: SpanLevel, timeUs: number, first: Coordinates): string =>
  `${head}${span}/${padTime(timeUs)}/${padLog(first.log)}.${padPartition(first.partition)}.${padOffset(first.offset)}`;

export const logPrefix = 'meta/log/';
export const eventPrefix = 'event/';
export const allMarksPrefix = 'mark/';
export const marksPrefix = (log: number): string => `mark/${padLog(log)}/`;
export const deadPrefix = (log: number): string => `dead/${padLog(log)}/`;
export const deadPartitionPrefix = (log: number, partition: number): string =>
  `dead/${padLog(log)}/${padPartition(partition)}/`;
