import { equalBytes } from './bytes.ts';
import { alhOfInner, type TxHeader } from './header.ts';
import type { Hash } from './hash.ts';
import { leafHash, verifyInclusion } from './merkle-tree.ts';
import { requireProof } from './proof-error.ts';

/** A transaction and the accumulated hash that commits to it and to all before it. */
export type TxHash = { readonly id: bigint; readonly alh: Uint8Array };

/** Throws ProofError unless this transaction is in the linking tree of `header` by exactly this path. */
export const requireLinked = (tx: TxHash, path: readonly Uint8Array[], header: TxHeader, hash: Hash): void =>
  verifyInclusion(
    { index: tx.id - 1n, width: header.blTxId, leaf: leafHash(tx.alh, hash), path, root: header.blRoot },
    hash,
  );

/**
 * Accumulated hashes from transaction `first`, whose own is `terms[0]`, over the inner hashes of those that follow:
 * one for each term.
 */
export const climb = (first: bigint, terms: readonly Uint8Array[], hash: Hash): TxHash[] => {
  const climbed: TxHash[] = [];
  for (const [i, term] of terms.entries()) {
    const previous = climbed.at(-1);
    const id = first + BigInt(i);
    climbed.push({ id, alh: previous === undefined ? term : alhOfInner(id, previous.alh, term, hash) });
  }
  return climbed;
};

/** Throws ProofError unless `tx` is defined and has this hash. */
export const requireAlh = (tx: TxHash | undefined, alh: Uint8Array, message: string): void =>
  requireProof(tx !== undefined && equalBytes(tx.alh, alh), 'linear', message);
