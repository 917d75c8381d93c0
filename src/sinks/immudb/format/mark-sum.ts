import type { Mark } from './mark-value.ts';

/**
 * Why a mark cannot be true, or null. Every offset in [first, next) is stored, a duplicate, dead or in one gap, so the
 * counts must add up; lists are in the order of their offsets, lie in the range and do not meet; `first` is where the
 * mark before ended; `last` lies before `next`.
 */
export const faultOfMark = (mark: Mark): string | null => {
  if (mark.next < mark.first) return 'next is below first';
  if (mark.prev && mark.prev.next !== mark.first) return 'first is not the next of the mark before';
  if (mark.last && mark.last.offset >= mark.next) return 'last is not below next';
  if ((mark.by === undefined) !== (mark.why === undefined)) return 'by and why belong together';
  return faultOfRows(mark);
};

const faultOfRows = (mark: Mark): string | null => {
  const singles = [...mark.duplicates, ...mark.dead].map(({ offset }) => ({ from: offset, to: offset + 1n }));
  const ranges = [...singles, ...mark.gaps].sort((a, b) => (a.from < b.from ? -1 : 1));
  if (!isAscending(mark.duplicates.map(({ offset }) => offset))) return 'duplicates are not in order';
  if (!isAscending(mark.dead.map(({ offset }) => offset))) return 'dead are not in order';
  if (!isAscending(mark.gaps.map(({ from }) => from))) return 'gaps are not in order';
  let at = mark.first;
  let covered = BigInt(mark.stored);
  for (const { from, to } of ranges) {
    if (from < at || to <= from || to > mark.next) return `${String(from)} is listed twice or outside of the mark`;
    at = to;
    covered += to - from;
  }
  return covered === mark.next - mark.first ? null : 'stored, duplicates, dead and gaps do not add up to next - first';
};

const isAscending = (numbers: readonly bigint[]): boolean =>
  numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? number));
