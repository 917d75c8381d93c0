import { readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alh, type TxHeader } from '../../src/proofs/header.ts';
import { entryDigest, rootOfDigests } from '../../src/proofs/entry.ts';
import type { Tx } from '../../src/sinks/immudb/answers.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';

/**
 * The files of one immudb database, for tests that forge them while the server is stopped. Nothing of their layout is
 * assumed but what shows in files that a server wrote: values, hashes of values and accumulated hashes stand in them
 * as they are, so each is found by its bytes. In the transaction log an accumulated hash ends its own transaction, and
 * is met there first.
 */
export type DatabaseFiles = {
  readonly values: string;
  readonly transactions: string;
  readonly commits: string;
  /** Where the accumulated hashes of the linking tree lie, and its nodes. */
  readonly treeLeaves: string;
  readonly treeNodes: string;
  /** Folders of the index, which a server builds anew when they are gone. */
  readonly indexes: readonly string[];
};

export const databaseFiles = (dataDir: string, database: string): DatabaseFiles => {
  const root = join(dataDir, database);
  const only = (...folder: readonly string[]): string => {
    const [name, ...more] = readdirSync(join(root, ...folder));
    if (name === undefined || more.length > 0) throw new Error(`${folder.join('/')} has not just one file`);
    return join(root, ...folder, name);
  };
  return {
    values: only('val_0'),
    transactions: only('tx'),
    commits: only('commit'),
    treeLeaves: only('aht', 'data'),
    treeNodes: only('aht', 'tree'),
    indexes: readdirSync(root)
      .filter((name) => name.startsWith('index'))
      .map((name) => join(root, name)),
  };
};

/** How often `from` was replaced by `to`, which has as many bytes. Throws when it is not there. */
export const replaceIn = (file: string, from: Uint8Array, to: Uint8Array, which: 'first' | 'all' = 'first'): number => {
  if (from.length !== to.length) throw new Error('a forger keeps the length');
  const bytes = readFileSync(file);
  let count = 0;
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + from.length)) {
    bytes.set(to, at);
    count += 1;
    if (which === 'first') break;
  }
  if (count === 0) throw new Error(`${file} does not have these bytes`);
  writeFileSync(file, bytes);
  return count;
};

export const deleteIndexes = ({ indexes }: DatabaseFiles): void => {
  for (const folder of indexes) rmSync(folder, { recursive: true });
};

/** What of a transaction is made to fit a forged value. */
export type Consistency = 'value' | 'value-and-hash' | 'transaction' | 'everywhere';

/**
 * Gives an entry another value of the same length. `transaction`: value, its hash and the transaction's own accumulated
 * hash, so that the server finds it consistent. `everywhere`: also each copy of that hash in all files. Returns the
 * header that the server then serves.
 */
export const forgeEntry = (
  files: DatabaseFiles,
  tx: Tx,
  index: number,
  change: (value: Buffer) => Buffer,
  consistency: Consistency,
): TxHeader => {
  const entry = tx.entries[index];
  if (entry === undefined) throw new Error(`transaction ${tx.header.id.toString()} has no entry ${index}`);
  const forged = change(Buffer.from(entry.storedValue));
  const hValue = sha256(forged);
  const entries = tx.entries.with(index, { ...entry, storedValue: forged, hValue: Buffer.from(hValue) });
  const eH = rootOfDigests(
    entries.map((one) => entryDigest(one, sha256)),
    sha256,
  );
  const header = { ...tx.header, eH };
  // Values lie in the log without the byte before them, or with it: both are found by what follows.
  replaceIn(files.values, entry.storedValue.subarray(1), forged.subarray(1));
  if (consistency === 'value') return header;
  replaceIn(files.transactions, entry.hValue, hValue);
  if (consistency === 'value-and-hash') return header;
  const [own, next] = [alh(tx.header, sha256), alh(header, sha256)];
  if (consistency === 'transaction') replaceIn(files.transactions, own, next);
  else {
    for (const file of [files.transactions, files.commits, files.treeLeaves]) {
      try {
        replaceIn(file, own, next, 'all');
      } catch {
        // not every file has a copy
      }
    }
  }
  return header;
};

/** Flips one bit of the bytes that stand before this transaction's own hash in the transaction log. */
export const flipBeforeHash = (files: DatabaseFiles, header: TxHeader, bytesBefore: number): void => {
  const bytes = readFileSync(files.transactions);
  const at = bytes.indexOf(alh(header, sha256));
  if (at < bytesBefore) throw new Error('the hash is not in the transaction log');
  bytes[at - bytesBefore] = (bytes[at - bytesBefore] ?? 0) ^ 1;
  writeFileSync(files.transactions, bytes);
};

/** Ends the logs behind this transaction, as if nothing had been written since. */
export const cutBehind = (files: DatabaseFiles, header: TxHeader): void => {
  const own = alh(header, sha256);
  for (const file of [files.transactions, files.commits]) {
    const at = readFileSync(file).indexOf(own);
    if (at === -1) throw new Error(`${file} does not have the hash of transaction ${header.id.toString()}`);
    truncateSync(file, at + own.length);
  }
};
