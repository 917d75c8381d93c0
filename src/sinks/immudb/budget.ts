import type { Budget } from '../sink.ts';
import { postingBudget } from './format/posting-budget.ts';
import { maxTxEntries } from './transaction.ts';

export type BudgetLimits = {
  /** Bytes of record values and keys in one transaction. */
  readonly maxBytes: number;
};

/** Counts the entries that a batch can need in the worst case: events or dead letters, postings, one mark a partition. */
export const transactionBudget = ({ maxBytes }: BudgetLimits): Budget => {
  const postings = postingBudget();
  const partitions = new Set<number>();
  let records = 0;
  let bytes = 0;
  const fits = () => records + partitions.size + postings.entries() <= maxTxEntries && bytes <= maxBytes;
  return {
    take: (share) => {
      const isFirst = records === 0;
      records += 1;
      bytes += share.bytes;
      partitions.add(share.partition);
      if (share.facts !== null) postings.add(share.facts);
      return isFirst || fits();
    },
    cover: (partition) => {
      partitions.add(partition);
      return fits();
    },
  };
};
