import { base64OfBytes, bytesOfBase64 } from './base64.ts';
import { concatBytes, equalBytes } from './bytes.ts';
import { isKeyName, type NoteKey } from './note-key.ts';
import { requireProof } from './proof-error.ts';
import { bytesOfText, textOfBytes } from './utf8.ts';

// Signed notes of C2SP (https://c2sp.org/signed-note): a text, an empty line, one line for each signature.

/** Checks an Ed25519 signature (RFC 8032, pure) over `message`. Passed in, so that notes are checked anywhere. */
export type VerifyEd25519 = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

export type NoteSignature = { readonly name: string; readonly keyId: Uint8Array; readonly signature: Uint8Array };

export type Note = {
  /** What is signed: whole lines, the last one's end included. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
};

/** Signs with a key that it holds. */
export type NoteSigner = { readonly key: NoteKey; readonly sign: (message: Uint8Array) => Uint8Array };

/** A larger note is refused before it is looked at. */
const maxNoteBytes = 900_000;
const maxSignatures = 100;

/**
 * The note in this text or these bytes. Throws ProofError (`malformed`) for anything that `formatNote` would not make
 * byte for byte. Nothing is proven yet.
 */
export const parseNote = (source: string | Uint8Array): Note => {
  const length = typeof source === 'string' ? bytesOfText(source).length : source.length;
  requireProof(length <= maxNoteBytes, 'malformed', `a note of ${length} bytes`);
  const whole = typeof source === 'string' ? source : textOfBytes(source, 'the note');
  const end = whole.lastIndexOf('\n\n');
  requireProof(end > 0 && whole.endsWith('\n'), 'malformed', 'a note is a text, an empty line and signatures');
  const text = whole.slice(0, end + 1);
  requireText(text);
  const lines = whole.slice(end + 2, -1).split('\n');
  requireProof(lines.length <= maxSignatures, 'malformed', `a note with ${lines.length} signatures`);
  return { text, signatures: lines.map(parseSignature) };
};

export const formatNote = ({ text, signatures }: Note): string => {
  requireText(text);
  const lines = signatures.map(({ name, keyId, signature }) => {
    return `— ${name} ${base64OfBytes(concatBytes(keyId, signature))}\n`;
  });
  return `${text}\n${lines.join('')}`;
};

/** The note with a signature of each of these keys; at least one. */
export const signNote = (text: string, signers: readonly NoteSigner[]): string => {
  requireProof(signers.length > 0, 'signature', 'a note needs a key to be signed with');
  const message = bytesOfText(text);
  const signatures = signers.map(({ key, sign }) => ({ name: key.name, keyId: key.id, signature: sign(message) }));
  return formatNote({ text, signatures });
};

/**
 * Those of `keys` that signed the note: at least one. Signatures of other keys prove nothing and are passed over, as
 * C2SP asks. Throws ProofError (`signature`) when none of these keys signed, or one is named whose signature is wrong.
 */
export const requireSigned = (note: Note, keys: readonly NoteKey[], verify: VerifyEd25519): readonly NoteKey[] => {
  const message = bytesOfText(note.text);
  const signedBy = new Set<NoteKey>();
  for (const { name, keyId, signature } of note.signatures) {
    const key = keys.find((each) => each.name === name && equalBytes(each.id, keyId));
    if (key === undefined) continue;
    requireProof(!signedBy.has(key), 'signature', `the note has two signatures of ${name}`);
    const isGood = signature.length === 64 && verify(key.publicKey, message, signature);
    requireProof(isGood, 'signature', `the signature of ${name} is not of this text`);
    signedBy.add(key);
  }
  requireProof(signedBy.size > 0, 'signature', 'the note is not signed with a key that is accepted');
  return [...signedBy];
};

const requireText = (text: string): void => {
  const isPlain = text.isWellFormed() && !/[\p{Cc}&&[^\n]]/v.test(text);
  requireProof(isPlain && text.endsWith('\n'), 'malformed', 'the text of a note has control characters or no end');
};

const parseSignature = (line: string): NoteSignature => {
  const [, name = '', encoded = ''] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  requireProof(isKeyName(name), 'malformed', 'a note has a line after its text that is no signature');
  const bytes = bytesOfBase64(encoded, `the signature of ${name}`);
  requireProof(bytes.length > 4, 'malformed', `the signature of ${name} is empty`);
  return { name, keyId: bytes.slice(0, 4), signature: bytes.slice(4) };
};
