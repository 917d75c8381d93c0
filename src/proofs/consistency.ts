import { equalBytes } from './bytes.ts';
import type { Hash } from './hash.ts';
import { nodeHash } from './merkle-tree.ts';
import { requireProof } from './proof-error.ts';

export type Tree = { readonly size: bigint; readonly root: Uint8Array };

export type Consistency = { readonly earlier: Tree; readonly later: Tree; readonly path: readonly Uint8Array[] };

/**
 * Throws ProofError unless the earlier tree is the beginning of the later one. After RFC 9162, 2.1.4.2, with immudb's
 * two differences: the first hash is always there (the RFC leaves it out when the earlier size is a power of two), and
 * for equal sizes above 1 the right and the left half of the tree are stated.
 */
export const verifyConsistency = (claim: Consistency, hash: Hash): void => {
  const [size, laterSize] = [claim.earlier.size, claim.later.size];
  requireProof(size >= 1n && size <= laterSize, 'malformed', `trees of ${size.toString()} and ${laterSize.toString()}`);
  if (size === laterSize) verifySame(claim, hash);
  else verifyLater(claim, hash);
};

const verifySame = ({ earlier, later, path }: Consistency, hash: Hash): void => {
  requireProof(equalBytes(earlier.root, later.root), 'consistency', 'two roots for trees of one size');
  const [right, left, ...rest] = path;
  requireProof(rest.length === 0, 'consistency', 'consistency path is too long');
  if (earlier.size === 1n) {
    requireProof(right === undefined, 'consistency', 'consistency path is too long');
    return;
  }
  requireProof(left !== undefined && right !== undefined, 'consistency', 'consistency path is too short');
  requireProof(equalBytes(nodeHash(left, right, hash), earlier.root), 'consistency', 'halves do not make the root');
};

const verifyLater = ({ earlier, later, path }: Consistency, hash: Hash): void => {
  let at = earlier.size - 1n;
  let last = later.size - 1n;
  for (; (at & 1n) === 1n; last >>= 1n) at >>= 1n;
  const [start, ...rest] = path;
  requireProof(start !== undefined, 'consistency', 'consistency path is too short');
  let [node, laterNode] = [start, start];
  for (const term of rest) {
    requireProof(last > 0n, 'consistency', 'consistency path is too long');
    const isRight = (at & 1n) === 1n || at === last;
    node = isRight ? nodeHash(term, node, hash) : node;
    laterNode = isRight ? nodeHash(term, laterNode, hash) : nodeHash(laterNode, term, hash);
    for (; isRight && (at & 1n) === 0n && at !== 0n; last >>= 1n) at >>= 1n;
    at >>= 1n;
    last >>= 1n;
  }
  requireProof(last === 0n, 'consistency', 'consistency path is too short');
  requireProof(equalBytes(node, earlier.root), 'consistency', 'consistency path does not lead to the earlier root');
  requireProof(equalBytes(laterNode, later.root), 'consistency', 'consistency path does not lead to the later root');
};
