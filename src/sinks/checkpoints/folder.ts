import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkpointHash, type Checkpoint } from '../../proofs/checkpoint.ts';
import { hexOfBytes } from '../../proofs/hex.ts';
import { isFileError, writeDurably } from '../durable-file.ts';
import { sha256 } from '../immudb/sha256.ts';
import type { NoteSource } from './newest.ts';

/** Readable by everybody: a checkpoint is there to be handed on. */
const mode = 0o644;
const maxFileBytes = 1_000_000;

/** Named by sequence, then by what it says, so that no checkpoint ever replaces another. */
const nameOf = ({ sequence }: Checkpoint, text: string): string =>
  `${sequence.toString().padStart(20, '0')}-${hexOfBytes(checkpointHash(text, sha256)).slice(0, 16)}.checkpoint`;

const isName = (name: string): boolean => /^\d{20}-[0-9a-f]{16}\.checkpoint$/.test(name);

/** Resolves when the note is a file of this folder, also after a power cut. Never half a file. */
export const writeCheckpoint = (folder: string, checkpoint: Checkpoint, text: string, note: string): Promise<void> =>
  writeDurably(join(folder, nameOf(checkpoint, text)), note, mode);

const namesIn = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isFileError(error, 'ENOENT')) return [];
    throw error;
  });
  return names.filter(isName).toSorted();
};

const noteIn = async (path: string): Promise<Buffer | null> => {
  const { size } = await stat(path);
  return size <= maxFileBytes ? await readFile(path) : null;
};

/** The files of this folder that have the name of a checkpoint, newest first. A folder that is not there is empty. */
export const newestOfFolder = (folder: string): NoteSource => ({
  newestFirst: async function* () {
    for (const name of (await namesIn(folder)).toReversed()) {
      const note = await noteIn(join(folder, name));
      if (note !== null) yield note;
    }
  },
});

/** The same from the oldest on, each with its name. */
export async function* oldestOfFolder(folder: string): AsyncGenerator<{ where: string; note: Uint8Array }> {
  for (const name of await namesIn(folder)) {
    const note = await noteIn(join(folder, name));
    if (note !== null) yield { where: name, note };
  }
}
