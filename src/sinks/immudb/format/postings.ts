import { refuse } from './invalid.ts';
import { postingKey } from './keys.ts';
import { type Family, familiesOf } from './posting-families.ts';
import { type Line, linesOf, type PostingRow } from './posting-rows.ts';
import { spareEntries, type Window, windowCutter } from './posting-windows.ts';

export type Posting = { readonly key: string; readonly value: Buffer };

/**
 * The postings of one transaction's events, in no promised order. Rows of a posting are in order of (time, event_id),
 * and its key names the record of its first row: a record is in one posting of a list only, so keys are unique in the
 * transaction and in the ledger. Never more postings than postingBudget said. Event ids must differ.
 */
export const planPostings = (rows: readonly PostingRow[]): Posting[] => {
  if (rows.length === 0) return [];
  const cut = windowCutter(spareEntries(rows.length));
  const postings: Posting[] = [];
  for (const family of familiesOf(linesOf(rows.toSorted(byTimeAndId)))) {
    for (const window of cut(family.lines, family.kind === 'corr' ? 0 : 1)) postings.push(compose(family, window));
  }
  return postings;
};

const byTimeAndId = ({ facts: a }: PostingRow, { facts: b }: PostingRow): number =>
  a.timeUs - b.timeUs || (a.eventId < b.eventId ? -1 : 1);

const compose = ({ head, kind, lines }: Family<Line>, { from, to, span }: Window): Posting => {
  const first = lines[from] ?? refuse('a posting to be written', 'it has no rows');
  let text = '';
  for (let at = from; at < to; at++) {
    const line = lines[at] ?? first;
    text += (at === from ? '' : ',') + (kind === 'time' ? line.wide : line.short);
  }
  return { key: postingKey(head, span, first.timeUs, first.at), value: Buffer.from(`{"v":1,"rows":[${text}]}`) };
};
