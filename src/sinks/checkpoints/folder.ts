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

/** The files of this folder that have the name of a checkpoint, newest first. A folder that is not there is empty. */
export const newestOfFolder = (folder: string): NoteSource => ({
  newestFirst: async function* () {
    const names = await readdir(folder).catch((error: unknown) => {
      if (isFileError(error, 'ENOENT')) return [];
      throw error;
    });
    for (const name of names.filter(isName).toSorted().toReversed()) {
      const path = join(folder, name);
      const { size } = await stat(path);
      if (size <= maxFileBytes) yield await readFile(path);
    }
  },
});
