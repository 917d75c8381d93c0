/**
 * What a proof failed at.
 *
 * - `malformed`: a length, number or list is not of the shape that the format prescribes.
 * - `unsupported`: well formed, but a kind that this project never relies on (header version 0, references).
 * - `entry`: an entry is not the one under the transaction's root.
 * - `inclusion`, `consistency`, `linear`: that part of a proof does not lead to the root or hash it should.
 * - `anchor`: a header is not the one whose hash is trusted.
 * - `chain`: a header does not follow the one before it.
 * - `signature`: a state or note is not signed with a key that is accepted.
 * - `statement`: two parts of what is to be proven say different things.
 */
export type ProofFailure =
  | 'malformed'
  | 'unsupported'
  | 'entry'
  | 'inclusion'
  | 'consistency'
  | 'linear'
  | 'anchor'
  | 'chain'
  | 'signature'
  | 'statement';

/** A proof that proves nothing. Says "not proven", never "forged": a damaged but genuine tree ends here too. */
export class ProofError extends Error {
  override readonly name = 'ProofError';
  readonly kind: ProofFailure;

  constructor(kind: ProofFailure, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Throws a ProofError unless `condition` holds. */
export function requireProof(condition: boolean, kind: ProofFailure, message: string): asserts condition {
  if (!condition) throw new ProofError(kind, message);
}
