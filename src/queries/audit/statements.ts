import type { GapReason } from '../../schemas/record.ts';
import type { MarkDead, MarkDuplicate } from '../../sinks/immudb/format/mark-rows.ts';
import type { Mark } from '../../sinks/immudb/format/mark-value.ts';
import type { FoundEvent } from './contents.ts';

/** What a transaction says became of the offsets from `from` up to, not including, `to`. */
export type Statement = { readonly from: bigint; readonly to: bigint } & (
  | { readonly kind: 'stored'; readonly event: FoundEvent }
  | { readonly kind: 'duplicate'; readonly row: MarkDuplicate }
  | { readonly kind: 'dead'; readonly row: MarkDead }
  | { readonly kind: 'gap'; readonly reason: GapReason }
);

/** Everything that is said of one partition, in the order of offsets. The events are those of the mark's transaction. */
export const statementsOf = (mark: Mark, events: readonly FoundEvent[]): readonly Statement[] => {
  const single = (offset: bigint) => ({ from: offset, to: offset + 1n });
  const stored = events.map((event): Statement => ({ ...single(event.source.offset), kind: 'stored', event }));
  const others: Statement[] = [
    ...mark.duplicates.map((row): Statement => ({ ...single(row.offset), kind: 'duplicate', row })),
    ...mark.dead.map((row): Statement => ({ ...single(row.offset), kind: 'dead', row })),
    ...mark.gaps.map(({ from, to, reason }): Statement => ({ from, to, kind: 'gap', reason })),
  ];
  // The pipeline writes events in the order of their offsets.
  if (others.length === 0 && isInOrder(stored)) return stored;
  return [...stored, ...others].sort((a, b) => (a.from < b.from ? -1 : 1));
};

const isInOrder = (statements: readonly Statement[]): boolean =>
  statements.every(({ from }, at) => at === 0 || from >= (statements[at - 1]?.to ?? from));

/** The hash of the record's value that the statement names, if it names one. */
export const statedSha256 = (statement: Statement): string | null => {
  if (statement.kind === 'gap') return null;
  return statement.kind === 'stored' ? statement.event.source.sha256 : statement.row.sha256;
};
