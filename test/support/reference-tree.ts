import { createHash } from 'node:crypto';

// The trees as RFC 6962 defines them, recursively, over whole lists: slow, short, and written apart from src/proofs.

export const sha = (...parts: readonly (Uint8Array | string)[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

const split = (count: number): number => 2 ** Math.floor(Math.log2(count - 1));

/** Root over leaf data. */
export const rootOf = (leaves: readonly Uint8Array[]): Uint8Array => {
  if (leaves.length === 0) return new Uint8Array(32);
  if (leaves.length === 1) return sha(Uint8Array.of(0), leaves[0]!);
  const k = split(leaves.length);
  return sha(Uint8Array.of(1), rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
};

export const pathOf = (index: number, leaves: readonly Uint8Array[]): Uint8Array[] => {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...pathOf(index, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(index - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
};

/** RFC 6962's consistency proof from the first `size` leaves, in immudb's form: the first hash is always there. */
export const consistencyOf = (size: number, leaves: readonly Uint8Array[]): Uint8Array[] => {
  if (size === leaves.length) return halvesOf(leaves);
  const path = subproof(size, leaves, true);
  return Number.isInteger(Math.log2(size)) ? [rootOf(leaves.slice(0, size)), ...path] : path;
};

const halvesOf = (leaves: readonly Uint8Array[]): Uint8Array[] => {
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  return [rootOf(leaves.slice(k)), rootOf(leaves.slice(0, k))];
};

const subproof = (size: number, leaves: readonly Uint8Array[], isWhole: boolean): Uint8Array[] => {
  if (size === leaves.length) return isWhole ? [] : [rootOf(leaves)];
  const k = split(leaves.length);
  return size <= k
    ? [...subproof(size, leaves.slice(0, k), isWhole), rootOf(leaves.slice(k))]
    : [...subproof(size - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))];
};
