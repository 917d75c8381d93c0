import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Resolves when the file holds this text, also after a power cut: written beside, synced, renamed, folder synced. Until
 * then it is as it was before. Rejects with what the system says, and leaves nothing beside it.
 */
export const writeDurably = async (path: string, text: string, mode: number): Promise<void> => {
  // Named by process: two processes never write into one file, and what a killed one leaves is overwritten.
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await writeSynced(beside, text, 'w', mode);
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
};

/** As `writeDurably`, for a file that must not be there yet: rejects with EEXIST if it is, and changes nothing. */
export const createDurably = async (path: string, text: string, mode: number): Promise<void> => {
  await writeSynced(path, text, 'wx', mode);
  await syncFolder(dirname(path));
};

const writeSynced = async (path: string, text: string, flags: 'w' | 'wx', mode: number): Promise<void> => {
  const file = await open(path, flags, mode);
  try {
    await file.chmod(mode);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
};

const syncFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/** Whether the system says that there is no such file, or that there is one already. */
export const isFileError = (error: unknown, code: 'ENOENT' | 'EEXIST'): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;
