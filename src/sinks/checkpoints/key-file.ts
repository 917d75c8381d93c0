import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { formatNoteSeed, isKeyName, parseNoteKey, parseNoteSeed, type NoteKey } from '../../proofs/note-key.ts';
import type { NoteSigner } from '../../proofs/note.ts';
import { createDurably, isFileError } from '../durable-file.ts';
import { sha256 } from '../immudb/sha256.ts';
import { signerOf } from './ed25519.ts';

/** Readable and writable by its owner alone. */
const secretMode = 0o600;

/**
 * Makes a key and writes it into a new file, which its owner alone may read; resolves with the public half when it is
 * durable. Rejects with KEY_EXISTS or KEY_INVALID before anything is written.
 */
export const makeKeyFile = async (path: string, name: string): Promise<NoteKey> => {
  if (!isKeyName(name)) throw invalid(`the name ${JSON.stringify(name)} is too long, or has spaces or a plus`);
  const seed = { name, seed: randomBytes(32) };
  const { key } = signerOf(seed);
  try {
    await createDurably(path, `${formatNoteSeed(seed, key.id)}\n`, secretMode);
  } catch (cause) {
    if (isFileError(cause, 'EEXIST')) throw new PipelineError('KEY_EXISTS', `${path} is there already`, { cause });
    throw new PipelineError('KEY_INVALID', `the signing key cannot be written to ${path}`, { cause });
  }
  return key;
};

/** What signs with the key in this file. Throws KEY_INVALID; no message shows what the file holds. */
export const readSigner = (path: string): NoteSigner => {
  try {
    const { id, ...seed } = parseNoteSeed(readFileSync(path, 'utf8').replace(/\r?\n$/, ''));
    const signer = signerOf(seed);
    if (!equalBytes(id, signer.key.id)) throw new Error('its id does not belong to it: it is damaged');
    return signer;
  } catch (cause) {
    throw invalid(`${path} holds no signing key`, cause);
  }
};

/** The public key that this text stands for. Throws KEY_INVALID. */
export const publicKeyOf = (text: string): NoteKey => {
  try {
    return parseNoteKey(text, sha256);
  } catch (cause) {
    throw invalid(`the public key ${text.slice(0, 300)}`, cause);
  }
};

const invalid = (message: string, cause?: unknown): PipelineError =>
  new PipelineError('KEY_INVALID', message, { cause });
