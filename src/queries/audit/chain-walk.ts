import { equalBytes } from '../../proofs/bytes.ts';
import { followHeader, type ChainState } from '../../proofs/chain.ts';
import { appendLeaf, frontierRoot, type Frontier } from '../../proofs/frontier.ts';
import type { TxHeader } from '../../proofs/header.ts';
import { hexOfBytes } from '../../proofs/hex.ts';
import { leafHash } from '../../proofs/merkle-tree.ts';
import { ProofError } from '../../proofs/proof-error.ts';
import { sha256 } from '../../sinks/immudb/sha256.ts';
import type { Deviations } from './deviations.ts';

export type ChainWalk = {
  /** Whether the header is the next one, follows the one before, and states the tree of all before it. */
  follow(header: TxHeader): boolean;
  /** The header of this id could not be read: the one after it says what its hash was. Returns false. */
  skip(id: bigint): boolean;
  current(): ChainState;
};

/**
 * Follows the chain, and past a break. The header after a break says what hash the one before it had when it was
 * written; with that hash in its place the trees of all later headers tell whether it is the earlier transaction that
 * was changed, so each break is named once, where it is.
 */
export const chainWalk = (start: ChainState, deviations: Deviations): ChainWalk => {
  let chain = start;
  /** The tree without the last transaction; null: not known. */
  let before: Frontier | null = null;
  let isUnread = false;

  const accept = (header: TxHeader): void => {
    const next = followHeader(chain, header, sha256);
    before = chain.frontier;
    chain = next;
    isUnread = false;
  };

  /** Takes the header's word for the hash of the one before it, and for the tree if that agrees. */
  const takeItsWord = ({ id, prevAlh, blRoot }: TxHeader): void => {
    const frontier = before === null ? null : appendLeaf(before, leafHash(prevAlh, sha256), sha256);
    const isIn = frontier !== null && equalBytes(frontierRoot(frontier, sha256), blRoot);
    chain = { id: id - 1n, alh: prevAlh, frontier: isIn ? frontier : null };
  };

  const nameTheBreak = (header: TxHeader, error: ProofError): void => {
    if (header.id !== chain.id + 1n) {
      deviations.add('chain', { tx: header.id }, `it stands where transaction ${(chain.id + 1n).toString()} is due`);
      before = null;
      takeItsWord(header);
    } else if (!equalBytes(header.prevAlh, chain.alh)) {
      const hashes = `hash ${start16(chain.alh)}…, due ${start16(header.prevAlh)}…`;
      const what = `it is not the transaction that ${header.id.toString()} was written after (${hashes})`;
      deviations.add('chain', { tx: chain.id }, what);
      takeItsWord(header);
    } else {
      deviations.add('chain', { tx: header.id }, error.message);
      chain = { ...chain, frontier: null };
    }
  };

  const followed = (header: TxHeader): ProofError | null => {
    try {
      accept(header);
      return null;
    } catch (error) {
      if (error instanceof ProofError) return error;
      throw error;
    }
  };

  const skip = (id: bigint): boolean => {
    before = isUnread ? null : chain.frontier;
    chain = { id, alh: chain.alh, frontier: null };
    isUnread = true;
    return false;
  };

  return {
    follow: (header) => {
      if (isUnread) takeItsWord(header);
      const error = followed(header);
      if (error === null) return true;
      nameTheBreak(header, error);
      if (followed(header) !== null) skip(header.id);
      return false;
    },
    skip,
    current: () => chain,
  };
};

const start16 = (hash: Uint8Array): string => hexOfBytes(hash).slice(0, 16);
