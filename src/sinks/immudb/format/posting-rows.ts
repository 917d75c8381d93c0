/** Rows of postings, as JSON text. Hot path: plain concatenation, each distinct text quoted once. */
import type { EventFacts } from '../../../schemas/decoded.ts';
import { padTime } from './digits.ts';
import type { Coordinates } from './keys.ts';

/** An event of the transaction, and where its record lies. */
export type PostingRow = Coordinates & { readonly facts: EventFacts };

/** An event with its rows. */
export type Line = {
  readonly at: PostingRow;
  readonly timeUs: number;
  /** The row of time postings: all that a list of events shows and filters by. */
  readonly wide: string;
  /** The row of corr, type and actor postings. */
  readonly short: string;
};

export const linesOf = (rows: readonly PostingRow[]): Line[] => {
  const quote = quoting();
  return rows.map((at) => {
    const start = `["${padTime(at.facts.timeUs)}","${at.facts.eventId}"`;
    return { at, timeUs: at.facts.timeUs, wide: wideRow(start, at.facts, quote), short: `${start}]` };
  });
};

const wideRow = (start: string, facts: EventFacts, quote: (text: string | null) => string): string =>
  `${start},${quote(facts.eventType)},${quote(facts.category)},${quote(facts.outcome)},${quote(facts.severity)}` +
  `,${quote(facts.correlationId)},${quote(facts.actorType)},${quote(facts.actorId)}` +
  `,${quote(facts.resourceType)},${quote(facts.resourceId)},${quote(facts.namespace)}]`;

/** Quotes each distinct text of a transaction once. */
const quoting = (): ((text: string | null) => string) => {
  const quoted = new Map<string, string>();
  return (text) => {
    if (text === null) return 'null';
    const known = quoted.get(text);
    if (known !== undefined) return known;
    const made = JSON.stringify(text);
    quoted.set(text, made);
    return made;
  };
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
