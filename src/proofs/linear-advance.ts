import type { TxHeader } from './header.ts';
import type { Hash } from './hash.ts';
import { climb, requireAlh, requireLinked } from './linking.ts';
import { requireProof } from './proof-error.ts';

/** Shows that the transactions which the source's linking tree lags behind by are in the target's. */
export type LinearAdvance = {
  readonly terms: readonly Uint8Array[];
  readonly inclusions: readonly {
    readonly leaf: number;
    readonly width: number;
    readonly path: readonly Uint8Array[];
  }[];
};

export type LinearAdvanceClaim = {
  readonly advance: LinearAdvance | null;
  readonly source: TxHeader;
  readonly sourceAlh: Uint8Array;
  readonly target: TxHeader;
  readonly targetBlTxAlh: Uint8Array;
};

/**
 * Throws ProofError unless every transaction that follows the source's linking tree, up to the source or to the end of
 * the target's linking tree, is chained and is in that tree. With nothing to show the proof must be absent.
 */
export const verifyLinearAdvance = (claim: LinearAdvanceClaim, hash: Hash): void => {
  const { advance, source, target } = claim;
  const isLinked = source.id < target.blTxId;
  const end = isLinked ? source.id : target.blTxId;
  const steps = Number(end - source.blTxId);
  if (steps <= 1) {
    requireProof(advance === null, 'linear', 'linear advance proof where none is due');
    return;
  }
  requireProof(advance !== null, 'linear', 'linear advance proof is missing');
  const { terms, inclusions } = advance;
  requireProof(terms.length === steps, 'linear', 'linear advance proof has the wrong length');
  requireProof(inclusions.length === steps - 1, 'linear', 'linear advance proof has the wrong number of paths');
  const climbed = climb(source.blTxId + 1n, terms, hash);
  const endAlh = isLinked ? claim.sourceAlh : claim.targetBlTxAlh;
  requireAlh(climbed.at(-1), endAlh, 'linear advance proof ends elsewhere');
  for (const [i, { leaf, width, path }] of inclusions.entries()) {
    requireProof(leaf === 0 && width === 0, 'malformed', 'linear advance proof states leaf or width');
    const tx = climbed[i];
    if (tx !== undefined) requireLinked(tx, path, target, hash);
  }
};
