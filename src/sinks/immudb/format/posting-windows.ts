/**
 * How one list's rows are cut into postings. Greedy windows over sorted times are the fewest that keep a width, so never
 * more than the clock hours that the rows lie in. Windows are cut finer where a finer span costs few entries.
 */
import { type SpanLevel, spanWidthUs } from './keys.ts';
import type { Line } from './posting-rows.ts';

/** Rows [from, to) of a list make one posting. */
export type Window = { readonly from: number; readonly to: number; readonly span: SpanLevel };

/** How many entries beyond the fewest a transaction of so many events may spend on finer postings. */
export const spareEntries = (events: number): number => 8 + Math.floor(events / 16);

/** A cut into seconds is worth an entry per 32 rows, a cut into minutes an entry per 8. */
const rowsPerCut = [32, 8] as const;

/**
 * Cuts lists one after the other; they share `spare`. `freeCuts` are worth it however few the rows: one straggler must
 * not make a list's only posting an hour wide.
 */
export const windowCutter = (spare: number): ((lines: readonly Line[], freeCuts: 0 | 1) => readonly Window[]) => {
  let left = spare;
  return (lines, freeCuts) => {
    // Most lists lie within a second: what follows would come to the same.
    if (isWithin(lines, 0, lines.length, spanWidthUs[0])) return [{ from: 0, to: lines.length, span: 0 }];
    const windows: Window[] = [];
    const place = (from: number, to: number, span: SpanLevel): void => {
      if (span === 0) return void windows.push({ from, to, span });
      const finer = span === 2 ? 1 : 0;
      const ends = greedyEnds(lines, from, to, spanWidthUs[finer]);
      const cuts = ends.length - 1;
      const isWorth = cuts <= freeCuts + Math.floor((to - from) / rowsPerCut[finer]);
      if (cuts > left || !isWorth) return void windows.push({ from, to, span });
      left -= cuts;
      placeAll(from, ends, finer);
    };
    const placeAll = (from: number, ends: readonly number[], span: SpanLevel): void => {
      let start = from;
      for (const end of ends) {
        place(start, end, span);
        start = end;
      }
    };
    placeAll(0, greedyEnds(lines, 0, lines.length, spanWidthUs[2]), 2);
    return windows;
  };
};

/** Where each window ends when every window takes all rows less than `width` after its first. */
const greedyEnds = (lines: readonly Line[], from: number, to: number, width: number): readonly number[] => {
  if (isWithin(lines, from, to, width)) return [to];
  const ends: number[] = [];
  let before = timeAt(lines, from) + width;
  for (let at = from + 1; at < to; at++) {
    const time = timeAt(lines, at);
    if (time < before) continue;
    ends.push(at);
    before = time + width;
  }
  ends.push(to);
  return ends;
};

const isWithin = (lines: readonly Line[], from: number, to: number, width: number): boolean =>
  timeAt(lines, to - 1) < timeAt(lines, from) + width;

const timeAt = (lines: readonly Line[], at: number): number => lines[at]?.at.facts.timeUs ?? Infinity;
