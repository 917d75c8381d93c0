import { hash } from 'node:crypto';
import { equalBytes } from '../../proofs/bytes.ts';
import type { TxHeader } from '../../proofs/header.ts';
import { rootOfLeafHashes } from '../../proofs/merkle-tree.ts';
import { sha256 } from './sha256.ts';
import { maxTxEntries } from './transaction.ts';

/** What a transaction must state of its entries if it is the one that was sent: their number and the root over them. */
export type SentRoot = { readonly entries: number; readonly root: Uint8Array };

/** See `rootOfRequest`; the request may be read until the promise settles. Rejects only with what must halt. */
export type RootOf = (request: Buffer) => Promise<SentRoot>;

/** Whether this is the header of a transaction of exactly these entries, in their order. */
export const isRootOf = ({ entries, root }: SentRoot, header: TxHeader): boolean =>
  header.nentries === entries && equalBytes(header.eH, root);

const digestBytes = 32;
const kvsTag = 0x0a;
const noWaitTag = 0x10;
const preconditionsTag = 0x1a;
const keyTag = 0x0a;
const valueTag = 0x12;

/**
 * Number and root of the entries that these bytes of a SetRequest write, as the header of its transaction must state
 * them. It is read from what was sent, not from what was meant to be sent. The request is one of `transaction()`.
 * What is hashed are facts of immudb's protocol (docs/ledger-format.md).
 */
export const rootOfRequest = (request: Buffer): SentRoot => {
  const leaves = Buffer.allocUnsafe(maxTxEntries * digestBytes);
  const cursor = { request, at: 0 };
  let entries = 0;
  while (cursor.at < request.length) {
    const tag = request[cursor.at++];
    const length = readVarint(cursor);
    const end = cursor.at + length;
    if (tag === kvsTag) hashLeaf(request, readField(cursor, keyTag), readField(cursor, valueTag), leaves, entries++);
    else if (tag === preconditionsTag) cursor.at = end;
    else if (tag !== noWaitTag) throw notOurs(cursor);
  }
  return { entries, root: Uint8Array.from(rootOfLeafHashes(leaves, entries, sha256)) };
};

type Cursor = { readonly request: Buffer; at: number };
type Field = { readonly at: number; readonly length: number };

const readField = (cursor: Cursor, tag: number): Field => {
  if (cursor.request[cursor.at++] !== tag) throw notOurs(cursor);
  const length = readVarint(cursor);
  const { at } = cursor;
  cursor.at += length;
  return { at, length };
};

const notOurs = ({ at }: Cursor) => new Error(`byte ${at} of a SetRequest is none that transaction() writes`);

const readVarint = (cursor: Cursor): number => {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = cursor.request[cursor.at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
};

// What is hashed of a value: a byte 0 and it. The request itself may be on its way, in another thread: it is only read.
const plainBytes = 256 * 1024;
const plain = Buffer.alloc(plainBytes);
// Digest of an entry without metadata: 2 bytes 0, 2 bytes length of the stored key, 0, key, hash of its value.
const digestInput = Buffer.alloc(5 + 1024 + digestBytes);
const leafInput = Buffer.alloc(1 + digestBytes);

const hashLeaf = (request: Buffer, key: Field, value: Field, leaves: Buffer, index: number): void => {
  const size = value.length + 1;
  const stored = size <= plainBytes ? plain : Buffer.alloc(size);
  request.copy(stored, 1, value.at, value.at + value.length);
  digestInput.writeUInt16BE(key.length + 1, 2);
  request.copy(digestInput, 5, key.at, key.at + key.length);
  // As latin1 text a digest costs a quarter of what a Buffer of it does.
  digestInput.write(hash('sha256', stored.subarray(0, size), 'binary'), 5 + key.length, 'latin1');
  leafInput.write(hash('sha256', digestInput.subarray(0, 5 + key.length + digestBytes), 'binary'), 1, 'latin1');
  leaves.write(hash('sha256', leafInput, 'binary'), index * digestBytes, 'latin1');
};
