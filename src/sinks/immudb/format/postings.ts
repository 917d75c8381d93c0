import { refuse } from './invalid.ts';
import { postingKey } from './keys.ts';
import { closingBracket, comma, newPen, type Pen, putAgain, putAscii, putByte } from './pen.ts';
import { type Family, familiesOf } from './posting-families.ts';
import { type Line, type PostingRow, putRowStart, putWideEnd } from './posting-rows.ts';
import { spareEntries, type Window, windowCutter } from './posting-windows.ts';

export type Posting = { readonly key: string; readonly value: Buffer };

/**
 * The postings of one transaction's events, in no promised order. Rows of a posting are in order of (time, event_id),
 * and its key names the record of its first row: a record is in one posting of a list only, so keys are unique in the
 * transaction and in the ledger. Never more postings than postingBudget said. Event ids must differ. Values are views of
 * what `pen` writes.
 */
export const planPostings = (rows: readonly PostingRow[], pen: Pen = newPen(initialBytes)): Posting[] => {
  if (rows.length === 0) return [];
  const cut = windowCutter(spareEntries(rows.length));
  const postings: Posting[] = [];
  for (const family of familiesOf(linesOf(pen, rows.toSorted(byTimeAndId)))) {
    for (const window of cut(family.lines, family.kind === 'corr' ? 0 : 1)) postings.push(compose(pen, family, window));
  }
  return postings;
};

const initialBytes = 16_384;

const byTimeAndId = ({ facts: a }: PostingRow, { facts: b }: PostingRow): number =>
  a.timeUs - b.timeUs || (a.eventId < b.eventId ? -1 : 1);

const linesOf = (pen: Pen, rows: readonly PostingRow[]): readonly Line[] =>
  rows.map((at) => {
    const start = pen.at;
    putRowStart(pen, at.facts);
    return { at, start, end: pen.at };
  });

const compose = (pen: Pen, { head, kind, lines }: Family, { from, to, span }: Window): Posting => {
  const first = lines[from] ?? refuse('a posting to be written', 'it has no rows');
  const start = pen.at;
  putAscii(pen, '{"v":1,"rows":[');
  for (let index = from; index < to; index++) {
    const line = lines[index] ?? first;
    if (index > from) putByte(pen, comma);
    putAgain(pen, line.start, line.end);
    if (kind === 'time') putWideEnd(pen, line.at.facts);
    else putByte(pen, closingBracket);
  }
  putAscii(pen, ']}');
  const { at } = first;
  return { key: postingKey(head, span, at.facts.timeUs, at), value: pen.bytes.subarray(start, pen.at) };
};
