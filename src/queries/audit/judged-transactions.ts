import { equalBytes } from '../../proofs/bytes.ts';
import { entryDigest, rootOfDigests } from '../../proofs/entry.ts';
import { sha256 } from '../../sinks/immudb/sha256.ts';
import { contentsOf, type TxContents } from './contents.ts';
import type { Deviation } from './deviations.ts';
import type { Judge, Verdict } from './judge.ts';
import type { ReadTx } from './read-transactions.ts';

export type JudgedTx = {
  readonly read: ReadTx;
  /** Null: its values could not be read. */
  readonly contents: TxContents | null;
  /** Whatever was not in order by itself, in the order of the entries. */
  readonly deviations: readonly Deviation[];
  readonly verdict: Verdict;
};

/** Being judged while one is looked at: so many, of at most 32 MB each. */
const judgedAhead = 2;

/** Transactions in order, each with what it says and what is wrong with it by itself; some are judged ahead. */
export async function* judgedTransactions(reads: AsyncIterable<ReadTx>, judge: Judge): AsyncGenerator<JudgedTx> {
  const ahead: Promise<JudgedTx>[] = [];
  for await (const read of reads) {
    const judged = judgedTx(read, judge);
    judged.catch(() => undefined); // met when its turn comes
    ahead.push(judged);
    if (ahead.length > judgedAhead) yield* ahead.splice(0, 1);
  }
  yield* ahead;
}

const judgedTx = async (read: ReadTx, judge: Judge): Promise<JudgedTx> => {
  const { tx, isWhole, id } = read;
  const nothing: Verdict = { isRooted: true, postings: 0, faulty: [], faults: [] };
  if (tx === null) return { read, contents: null, deviations: [], verdict: nothing };
  if (!isWhole)
    return { read, contents: null, deviations: [], verdict: { ...nothing, isRooted: isRootedByHashes(tx) } };
  const deviations: Deviation[] = [];
  const contents = contentsOf(tx, {
    add: (kind, { key = null }, what) => deviations.push({ kind, tx: id, key, what }),
  });
  const verdict = await judge(tx, contents);
  for (const { kind, key, what } of verdict.faults) deviations.push({ kind, tx: id, key, what });
  return { read, contents, deviations, verdict };
};

/** Values could not be read: the stated hashes must do. Where the header alone was read, there is nothing to hold. */
const isRootedByHashes = ({ header, entries }: NonNullable<ReadTx['tx']>): boolean => {
  if (entries.length === 0) return true;
  if (entries.length !== header.nentries) return false;
  const digests = entries.map((entry) => entryDigest(entry, sha256));
  return equalBytes(rootOfDigests(digests, sha256), header.eH);
};
