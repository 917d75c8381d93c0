import type { Budget, Share } from '../sink.ts';
import { postingBudget } from './format/postings.ts';
import { maxTxEntries } from './transaction.ts';

export type BudgetLimits = {
  /** Bytes of record values and keys in one transaction. */
  readonly maxBytes: number;
};

/** Counts the entries that a batch can need in the worst case: events or dead letters, postings, one mark a partition. */
export const transactionBudget = ({ maxBytes }: BudgetLimits): Budget => {
  const postings = postingBudget();
  const partitions = new Set<number>();
  let entries = 0;
  let bytes = 0;

  const entriesOf = ({ partition, facts }: Share): number =>
    1 + (partitions.has(partition) ? 0 : 1) + (facts === null ? 0 : postings.cost(facts));

  return {
    take: (share) => {
      const needed = entriesOf(share);
      const isFirst = entries === 0;
      if (!isFirst && (entries + needed > maxTxEntries || bytes + share.bytes > maxBytes)) return false;
      entries += needed;
      bytes += share.bytes;
      partitions.add(share.partition);
      if (share.facts !== null) postings.take(share.facts);
      return true;
    },
  };
};
