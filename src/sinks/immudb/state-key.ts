import { createPublicKey, verify } from 'node:crypto';
import type { VerifySignature } from '../../proofs/state-signature.ts';

/**
 * Checks with this public key (PEM, EC P-256), which must come from elsewhere than the server: the one that a message
 * brings proves nothing. Throws if it is no such key.
 */
export const pinnedStateKey = (pem: string): VerifySignature => {
  const key = createPublicKey(pem);
  const { namedCurve } = key.asymmetricKeyDetails ?? {};
  if (namedCurve !== 'prime256v1') throw new TypeError('the key of the ledger must be an EC P-256 public key');
  return (data, signature) => verify('sha256', data, { key, dsaEncoding: 'der' }, signature);
};
