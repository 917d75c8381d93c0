/** Rows of postings, as JSON text. */
import type { EventFacts } from '../../../schemas/decoded.ts';
import { putTime } from './digits.ts';
import type { Coordinates } from './keys.ts';
import { closingBracket, comma, type Pen, putAscii, putByte, putText } from './pen.ts';

/** An event of the transaction, and where its record lies. */
export type PostingRow = Coordinates & { readonly facts: EventFacts };

/** An event, and where a pen wrote how its rows begin. */
export type Line = { readonly at: PostingRow; readonly start: number; readonly end: number };

/** How every row of an event begins; `]` ends it in corr, type and actor postings. */
export const putRowStart = (pen: Pen, { timeUs, eventId }: EventFacts): void => {
  putAscii(pen, '["');
  putTime(pen, timeUs);
  putAscii(pen, '","');
  putAscii(pen, eventId);
  putAscii(pen, '"');
};

/** How it ends in time postings: all that a list of events shows and filters by. */
export const putWideEnd = (pen: Pen, facts: EventFacts): void => {
  putColumn(pen, facts.eventType);
  putColumn(pen, facts.category);
  putColumn(pen, facts.outcome);
  putColumn(pen, facts.severity);
  putColumn(pen, facts.correlationId);
  putColumn(pen, facts.actorType);
  putColumn(pen, facts.actorId);
  putColumn(pen, facts.resourceType);
  putColumn(pen, facts.resourceId);
  putColumn(pen, facts.namespace);
  putByte(pen, closingBracket);
};

const putColumn = (pen: Pen, text: string | null): void => {
  putByte(pen, comma);
  if (text === null) putAscii(pen, 'null');
  else putText(pen, text);
};

/** Exact length of a short row with a comma. */
export const shortRowBytes = 60;

/** An upper bound of the bytes of a wide row: no UTF-16 unit takes more than the 6 of an escape. */
export const wideRowBytesAtMost = (facts: EventFacts): number =>
  shortRowBytes +
  10 * '"",nul'.length +
  6 *
    (facts.eventType.length +
      facts.category.length +
      facts.outcome.length +
      (facts.severity?.length ?? 0) +
      facts.correlationId.length +
      (facts.actorType?.length ?? 0) +
      (facts.actorId?.length ?? 0) +
      (facts.resourceType?.length ?? 0) +
      (facts.resourceId?.length ?? 0) +
      (facts.namespace?.length ?? 0));
