import { ed25519 } from '@noble/curves/ed25519.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import type { Hash } from '../../src/proofs/hash.ts';
import { noteKey, type NoteSeed } from '../../src/proofs/note-key.ts';
import type { NoteSigner, VerifyEd25519 } from '../../src/proofs/note.ts';
import { signerOf, verifyEd25519 } from '../../src/sinks/checkpoints/ed25519.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';

/** What is passed to the proofs: by Node in the product, by a library without Node in a browser. */
export type NoteCrypto = {
  readonly name: string;
  readonly hash: Hash;
  readonly verify: VerifyEd25519;
  readonly signerOf: (seed: NoteSeed) => NoteSigner;
};

export const nodeCrypto: NoteCrypto = { name: 'node:crypto', hash: sha256, verify: verifyEd25519, signerOf };

export const nobleCrypto: NoteCrypto = {
  name: '@noble',
  hash: nobleSha256,
  verify: (publicKey, message, signature) => {
    try {
      return ed25519.verify(signature, message, publicKey, { zip215: false });
    } catch {
      return false;
    }
  },
  signerOf: ({ name, seed }) => ({
    key: noteKey(name, ed25519.getPublicKey(seed), nobleSha256),
    sign: (message) => ed25519.sign(message, seed),
  }),
};

/** A seed that is no secret: the bytes 0x00 0x01 … after `first`. */
export const testSeed = (name: string, first = 0): NoteSeed => ({
  name,
  seed: Uint8Array.from({ length: 32 }, (_, i) => (first + i) & 0xff),
});
