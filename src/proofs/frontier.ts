import { requireDigest } from './bytes.ts';
import { digestBytes, type Hash } from './hash.ts';
import { nodeHash } from './merkle-tree.ts';
import { requireProof } from './proof-error.ts';

/**
 * What is needed of a tree to append to it and to know its root: the roots of its perfect subtrees, largest first,
 * one for each bit set in `size`, so never more than 64.
 */
export type Frontier = { readonly size: bigint; readonly hashes: readonly Uint8Array[] };

export const emptyFrontier: Frontier = { size: 0n, hashes: [] };

const maxSize = (1n << 64n) - 1n;

/** Throws ProofError (`malformed`) unless there is one digest for each bit set in `size`. */
export const frontierOf = (size: bigint, hashes: readonly Uint8Array[]): Frontier => {
  requireProof(size >= 0n && size <= maxSize, 'malformed', `tree of ${size.toString()} leaves`);
  const due = size.toString(2).replaceAll('0', '').length;
  requireProof(hashes.length === due, 'malformed', `frontier of ${hashes.length} hashes instead of ${due}`);
  for (const each of hashes) requireDigest(each, 'hash of a frontier');
  return { size, hashes };
};

export const appendLeaf = ({ size, hashes }: Frontier, leaf: Uint8Array, hash: Hash): Frontier => {
  requireProof(size < maxSize, 'malformed', 'tree is full');
  const kept = [...hashes];
  let node = leaf;
  for (let bits = size; (bits & 1n) === 1n; bits >>= 1n) node = nodeHash(kept.pop() ?? node, node, hash);
  return { size: size + 1n, hashes: [...kept, node] };
};

/** Root of the tree; 32 zero bytes while it is empty, as immudb states it. */
export const frontierRoot = ({ hashes }: Frontier, hash: Hash): Uint8Array =>
  hashes.length === 0 ? new Uint8Array(digestBytes) : hashes.reduceRight((right, left) => nodeHash(left, right, hash));
