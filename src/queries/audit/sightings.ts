import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key that was met in a transaction. What `kind` (16 bits) and `note` mean is the caller's to say. */
export type Sighting = { readonly kind: number; readonly tx: bigint; readonly note: Note };

/** 8 bytes in hexadecimal. */
export type Note = string;

/** The first 8 bytes of a hash: too many to find another text that has the same. */
export const noteOf = (hash: Buffer): Note => hash.toString('hex', 0, noteBytes);

/**
 * Remembers for each key of 16 bytes where it was met, and tells at the end of each key all of its sightings in the
 * order of transactions. Trusts no index of the ledger. Memory is bounded whatever the ledger: rows wait in buffers of
 * 64 KiB, one for each value of a key's last byte, and then in files of a temporary folder (32 bytes for each sighting);
 * at the end one part of them after the other is gathered.
 */
export type Sightings = {
  add(key: Buffer, sighting: Sighting): void;
  /** Visits keys in no promised order. Nothing may be added afterwards. */
  visit(visitor: (key: Buffer, sightings: readonly Sighting[]) => void): void;
  /** Removes the files. Idempotent. */
  close(): void;
};

const rowBytes = 32;
const keyBytes = 16;
const txBytes = 6;
const noteBytes = 8;
const kindAt = keyBytes + txBytes;
const noteAt = kindAt + 2;
const defaultBufferBytes = 64 * 1024;
/** Rows gathered at once: some 100 bytes of memory for each. */
const defaultRowsAtOnce = 500_000;

type Part = { readonly buffer: Buffer; used: number; file: number | null };

export type SightingsOptions = {
  /** Where the temporary folder is made. */
  readonly folder?: string;
  readonly rowsAtOnce?: number;
  /** A multiple of 32. */
  readonly bufferBytes?: number;
};

export const sightings = (options: SightingsOptions = {}): Sightings => {
  const { rowsAtOnce = defaultRowsAtOnce, bufferBytes = defaultBufferBytes } = options;
  const all = new Map<number, Part>();
  let folder: string | null = null;

  const partOf = (key: Buffer): Part => {
    const number = key[keyBytes - 1] ?? 0;
    const known = all.get(number);
    if (known !== undefined) return known;
    const made = { buffer: Buffer.allocUnsafe(bufferBytes), used: 0, file: null };
    all.set(number, made);
    return made;
  };

  const spill = (part: Part): void => {
    folder ??= mkdtempSync(join(options.folder ?? tmpdir(), 'immutrail-audit-'));
    part.file ??= openSync(join(folder, String(part.buffer[keyBytes - 1] ?? 0)), 'w+', 0o600);
    writeSync(part.file, part.buffer, 0, part.used);
    part.used = 0;
  };

  return {
    add: (key, { kind, tx, note }) => {
      const part = partOf(key);
      if (part.used === bufferBytes) spill(part);
      const { buffer, used } = part;
      key.copy(buffer, used, 0, keyBytes);
      buffer.writeUIntBE(Number(tx), used + keyBytes, txBytes);
      buffer.writeUInt16BE(kind, used + kindAt);
      buffer.write(note, used + noteAt, noteBytes, 'hex');
      part.used += rowBytes;
    },
    visit: (visitor) => {
      for (const part of all.values()) {
        const rows = part.used / rowBytes + (part.file === null ? 0 : fstatSync(part.file).size / rowBytes);
        const passes = Math.max(1, Math.ceil(rows / rowsAtOnce));
        for (let pass = 0; pass < passes; pass += 1) visitPass(part, pass, passes, visitor);
      }
    },
    close: () => {
      for (const part of all.values()) {
        if (part.file !== null) closeSync(part.file);
        part.file = null;
      }
      all.clear();
      if (folder !== null) rmSync(folder, { recursive: true, force: true });
      folder = null;
    },
  };
};

type Visitor = (key: Buffer, sightings: readonly Sighting[]) => void;

/** Gathers the rows whose key falls to this pass. Rows of a key are in the order in which they were added. */
const visitPass = (part: Part, pass: number, passes: number, visitor: Visitor): void => {
  const gathered = new Map<string, Sighting[]>();
  for (const chunk of chunksOf(part)) {
    for (let at = 0; at < chunk.length; at += rowBytes) {
      if (chunk.readUInt32BE(at + keyBytes - 5) % passes !== pass) continue;
      const key = chunk.toString('latin1', at, at + keyBytes);
      const sighting = {
        tx: BigInt(chunk.readUIntBE(at + keyBytes, txBytes)),
        kind: chunk.readUInt16BE(at + kindAt),
        note: chunk.toString('hex', at + noteAt, at + noteAt + noteBytes),
      };
      const known = gathered.get(key);
      if (known === undefined) gathered.set(key, [sighting]);
      else known.push(sighting);
    }
  }
  for (const [key, rows] of gathered) visitor(Buffer.from(key, 'latin1'), rows);
};

function* chunksOf({ file, buffer, used }: Part): Generator<Buffer> {
  if (file !== null) {
    const chunk = Buffer.allocUnsafe(1024 * rowBytes);
    for (let at = 0; ;) {
      const read = readSync(file, chunk, 0, chunk.length, at);
      if (read === 0) break;
      yield chunk.subarray(0, read);
      at += read;
    }
  }
  yield buffer.subarray(0, used);
}
