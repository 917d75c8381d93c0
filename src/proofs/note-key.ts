import { base64OfBytes, bytesOfBase64 } from './base64.ts';
import { concatBytes, equalBytes } from './bytes.ts';
import type { Hash } from './hash.ts';
import { bytesOfHex, hexOfBytes } from './hex.ts';
import { requireProof } from './proof-error.ts';
import { bytesOfText } from './utf8.ts';

// Keys as C2SP's signed-note has them (https://c2sp.org/signed-note). Ed25519 is the one algorithm used here.

/** A public key that notes are checked with, and the name that it signs under. */
export type NoteKey = {
  readonly name: string;
  /** First four bytes of SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key): finds the key of a signature, proves nothing. */
  readonly id: Uint8Array;
  readonly publicKey: Uint8Array;
};

/** The seed of a key (RFC 8032), from which both halves are made, and its name. A secret. */
export type NoteSeed = { readonly name: string; readonly seed: Uint8Array };

const ed25519 = 0x01;
const keyBytes = 32;
const idBytes = 4;

/** No space of any script and no plus, as C2SP asks; bounded, since names stand in every note. */
export const isKeyName = (name: string): boolean =>
  name.length >= 1 && name.length <= 200 && name.isWellFormed() && !/[\s\p{Z}\p{C}+]/u.test(name);

/** Throws ProofError (`malformed`) for a name or key that cannot be one. */
export const noteKey = (name: string, publicKey: Uint8Array, hash: Hash): NoteKey => {
  requireProof(isKeyName(name), 'malformed', 'the name of a key is empty, too long or has spaces or a plus');
  requireProof(publicKey.length === keyBytes, 'malformed', `public key of ${publicKey.length} bytes instead of 32`);
  const named = concatBytes(bytesOfText(`${name}\n`), Uint8Array.of(ed25519), publicKey);
  return { name, id: hash(named).slice(0, idBytes), publicKey };
};

/** The form in which a public key is handed on: `<name>+<id in hexadecimal>+<base64 of algorithm ‖ key>`. */
export const formatNoteKey = ({ name, id, publicKey }: NoteKey): string =>
  `${name}+${hexOfBytes(id)}+${base64OfBytes(concatBytes(Uint8Array.of(ed25519), publicKey))}`;

/** Throws ProofError (`malformed`) for what `formatNoteKey` does not make, (`unsupported`) for another algorithm. */
export const parseNoteKey = (text: string, hash: Hash): NoteKey => {
  const { name, id, material } = parseParts(text, 'public key');
  const key = noteKey(name, material, hash);
  requireProof(equalBytes(key.id, id), 'malformed', 'the id of the public key does not belong to it: a digit is wrong');
  return key;
};

const secretPrefix = 'PRIVATE+KEY+';

/** The form in which a signing key is kept, as Go's note package has it. A secret. */
export const formatNoteSeed = ({ name, seed }: NoteSeed, id: Uint8Array): string =>
  `${secretPrefix}${name}+${hexOfBytes(id)}+${base64OfBytes(concatBytes(Uint8Array.of(ed25519), seed))}`;

/** The seed, and the id that is stated for its public key: compare it. Messages never show what was given. */
export const parseNoteSeed = (text: string): NoteSeed & { readonly id: Uint8Array } => {
  requireProof(text.startsWith(secretPrefix), 'malformed', 'it is not a signing key');
  const { name, id, material } = parseParts(text.slice(secretPrefix.length), 'signing key');
  return { name, id, seed: material };
};

const parseParts = (text: string, what: string) => {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+([^\n]+)$/.exec(text) ?? [];
  requireProof(isKeyName(name), 'malformed', `not a ${what} of the form name+id+base64`);
  const bytes = bytesOfBase64(encoded, what);
  requireProof(bytes[0] === ed25519, 'unsupported', `the ${what} is not of Ed25519`);
  requireProof(bytes.length === 1 + keyBytes, 'malformed', `the ${what} has ${bytes.length - 1} bytes instead of 32`);
  return { name, id: bytesOfHex(id, idBytes), material: bytes.slice(1) };
};
