import { equalBytes, requireDigest } from './bytes.ts';
import { digestBytes, type Hash } from './hash.ts';
import { requireProof } from './proof-error.ts';

// Trees of RFC 6962 and RFC 9162: leaf H(00 || data), node H(01 || left || right), an odd node is promoted unhashed.

const leafInput = new Uint8Array(1 + digestBytes);
const nodeInput = new Uint8Array(1 + 2 * digestBytes);
nodeInput[0] = 1;

/** Hash of a leaf whose data is itself a digest. */
export const leafHash = (digest: Uint8Array, hash: Hash): Uint8Array => {
  requireDigest(digest, 'data of a leaf');
  leafInput.set(digest, 1);
  return hash(leafInput);
};

export const nodeHash = (left: Uint8Array, right: Uint8Array, hash: Hash): Uint8Array => {
  requireDigest(left, 'left node');
  requireDigest(right, 'right node');
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + digestBytes);
  return hash(nodeInput);
};

/** Hashes of the leaves with this data, one after the other. */
export const leafHashes = (digests: readonly Uint8Array[], hash: Hash): Uint8Array => {
  const hashes = new Uint8Array(digests.length * digestBytes);
  for (const [i, digest] of digests.entries()) hashes.set(leafHash(digest, hash), i * digestBytes);
  return hashes;
};

/**
 * Root of the first `count` leaf hashes, which lie one after the other in `hashes` and are overwritten. No leaves:
 * 32 zero bytes, as immudb states the root of its empty tree.
 */
export const rootOfLeafHashes = (hashes: Uint8Array, count: number, hash: Hash): Uint8Array => {
  requireProof(hashes.length >= count * digestBytes, 'malformed', `fewer than ${count} leaf hashes`);
  for (let width = count; width > 1; width = (width + 1) >>> 1) hashLevel(hashes, width, hash);
  return count === 0 ? new Uint8Array(digestBytes) : hashes.slice(0, digestBytes);
};

/** Replaces the first `width` nodes by their parents, in place. */
const hashLevel = (nodes: Uint8Array, width: number, hash: Hash): void => {
  const pairs = width >>> 1;
  for (let i = 0; i < pairs; i++) {
    nodeInput.set(nodes.subarray(i * 64, i * 64 + 64), 1);
    nodes.set(hash(nodeInput), i * digestBytes);
  }
  if (width % 2 === 1) nodes.copyWithin(pairs * digestBytes, (width - 1) * digestBytes, width * digestBytes);
};

/** Siblings of leaf `index` from the leaf to the root, in a tree of `count` leaf hashes, which are left as they are. */
export const inclusionPath = (hashes: Uint8Array, count: number, index: number, hash: Hash): Uint8Array[] => {
  requireProof(index >= 0 && index < count, 'malformed', `leaf ${index} of ${count}`);
  const nodes = hashes.slice(0, count * digestBytes);
  const path: Uint8Array[] = [];
  for (let width = count, at = index; width > 1; width = (width + 1) >>> 1, at >>>= 1) {
    const sibling = at ^ 1;
    if (sibling < width) path.push(nodes.slice(sibling * digestBytes, (sibling + 1) * digestBytes));
    hashLevel(nodes, width, hash);
  }
  return path;
};

export type Inclusion = {
  readonly index: bigint;
  /** Leaves of the tree. Take it from what is trusted, never from the proof: some wrong widths climb to the root too. */
  readonly width: bigint;
  readonly leaf: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
};

/** Throws ProofError unless the leaf is under the root by exactly this path (RFC 9162, 2.1.3.2). */
export const verifyInclusion = ({ index, width, leaf, path, root }: Inclusion, hash: Hash): void => {
  requireProof(index >= 0n && index < width, 'malformed', `leaf ${index.toString()} of ${width.toString()}`);
  let at = index;
  let last = width - 1n;
  let node = leaf;
  for (const sibling of path) {
    requireProof(last > 0n, 'inclusion', 'inclusion path is too long');
    const isRight = (at & 1n) === 1n || at === last;
    node = isRight ? nodeHash(sibling, node, hash) : nodeHash(node, sibling, hash);
    for (; isRight && (at & 1n) === 0n && at !== 0n; last >>= 1n) at >>= 1n;
    at >>= 1n;
    last >>= 1n;
  }
  requireProof(last === 0n, 'inclusion', 'inclusion path is too short');
  requireProof(equalBytes(node, root), 'inclusion', 'inclusion path does not lead to the root');
};
