import { concatBytes, requireDigest, uint32, uint64 } from './bytes.ts';
import type { TxHash } from './linking.ts';
import { requireProof } from './proof-error.ts';

/** Checks a DER-encoded ECDSA signature over the SHA-256 of `data` with the pinned key. */
export type VerifySignature = (data: Uint8Array, signature: Uint8Array) => boolean;

/** What immudb signs of its state. `database` is its name as the server returns it, in lower case. */
export const signedStateBytes = (database: string, { id, alh }: TxHash): Uint8Array => {
  requireDigest(alh, 'hash of a state');
  const name = new TextEncoder().encode(database);
  return concatBytes(uint32(name.length), name, uint64(id), alh);
};

/** Throws ProofError (`signature`) unless the state is signed with the pinned key. */
export const requireSignedState = (
  database: string,
  state: TxHash,
  signature: Uint8Array | null,
  verify: VerifySignature,
): void => {
  requireProof(signature !== null, 'signature', 'state is not signed; start immudb with --signingKey');
  const isSigned = verify(signedStateBytes(database, state), signature);
  requireProof(isSigned, 'signature', 'state is not signed with the pinned key');
};
