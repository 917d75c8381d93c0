import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import type { NoteSigner, VerifyEd25519 } from '../../proofs/note.ts';
import { noteKey, type NoteSeed } from '../../proofs/note-key.ts';
import { sha256 } from '../immudb/sha256.ts';

// What stands before the 32 bytes of a seed or key in their DER forms (RFC 8410).
const privateKeyHead = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicKeyHead = Buffer.from('302a300506032b6570032100', 'hex');

/** By Node's own OpenSSL; false for a key that is none. */
export const verifyEd25519: VerifyEd25519 = (publicKey, message, signature) => {
  try {
    return verify(null, message, publicKeyOf(publicKey), signature);
  } catch {
    return false;
  }
};

const publicKeyOf = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([publicKeyHead, raw]), format: 'der', type: 'spki' });

/** Signs with the key of this seed, under its name. */
export const signerOf = ({ name, seed }: NoteSeed): NoteSigner => {
  const key = createPrivateKey({ key: Buffer.concat([privateKeyHead, seed]), format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(publicKeyHead.length);
  return { key: noteKey(name, Uint8Array.from(publicKey), sha256), sign: (message) => sign(null, message, key) };
};
