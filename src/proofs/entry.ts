import { concatBytes, requireDigest, uint64 } from './bytes.ts';
import { digestBytes, type Hash } from './hash.ts';
import { leafHashes, rootOfLeafHashes } from './merkle-tree.ts';
import { requireProof } from './proof-error.ts';

/** What immudb keeps beside a key and its value. Absent attributes are not set. */
export type EntryMetadata = {
  readonly deleted?: boolean;
  /** Unix seconds. */
  readonly expiresAt?: bigint;
  readonly nonIndexable?: boolean;
};

/** An entry as its writer or reader knows it: without the one-byte prefixes under which immudb stores both. */
export type Entry = {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly metadata: EntryMetadata | null;
};

/** An entry as a transaction states it: the key with its prefix, the value as a hash only. */
export type StoredEntry = {
  readonly storedKey: Uint8Array;
  readonly hValue: Uint8Array;
  readonly metadata: EntryMetadata | null;
};

/** Prefix of keys of the key-value set, and of values that are not references. */
const plain = 0;
const maxStoredKeyBytes = 0xffff;
/** Larger values are hashed from memory of their own, so that one of them does not pin 32 MB for good. */
const maxScratchBytes = 1 << 20;
const nothing = new Uint8Array();

export const storedKey = (key: Uint8Array): Uint8Array => concatBytes(Uint8Array.of(plain), key);

let scratch = new Uint8Array(4096);

/** Hash of a plain value as immudb stores it; of an entry that marks a deletion: of nothing at all. */
export const valueHash = (value: Uint8Array, hash: Hash): Uint8Array => {
  const length = value.length + 1;
  const room = scratchOf(length);
  room[0] = plain;
  room.set(value, 1);
  return hash(room.subarray(0, length));
};

const scratchOf = (length: number): Uint8Array => {
  if (length <= scratch.length) return scratch;
  if (length > maxScratchBytes) return new Uint8Array(length);
  scratch = new Uint8Array(maxScratchBytes);
  return scratch;
};

/**
 * The data of the entry's leaf in its transaction's tree, whichever set its key belongs to. Throws ProofError
 * (`malformed`).
 */
export const entryDigest = (entry: StoredEntry, hash: Hash): Uint8Array => {
  const { storedKey: key, hValue } = entry;
  requireProof(key.length >= 1 && key.length <= maxStoredKeyBytes, 'malformed', `key of ${key.length} bytes`);
  requireDigest(hValue, 'hValue of an entry');
  const metadata = metadataBytes(entry.metadata);
  const length = 4 + metadata.length + key.length + digestBytes;
  const room = scratchOf(length);
  putUint16(room, 0, metadata.length);
  room.set(metadata, 2);
  putUint16(room, 2 + metadata.length, key.length);
  room.set(key, 4 + metadata.length);
  room.set(hValue, 4 + metadata.length + key.length);
  return hash(room.subarray(0, length));
};

const putUint16 = (into: Uint8Array, at: number, value: number): void => {
  into[at] = value >>> 8;
  into[at + 1] = value & 0xff;
};

/** `entryDigest` of an entry of the key-value set, with its value. */
export const digestOfEntry = ({ key, value, metadata }: Entry, hash: Hash): Uint8Array => {
  requireProof(key.length >= 1, 'malformed', 'key is empty');
  const hValue = metadata?.deleted === true && value.length === 0 ? hash(nothing) : valueHash(value, hash);
  return entryDigest({ storedKey: storedKey(key), hValue, metadata }, hash);
};

/** What `eH` must be in the header of a transaction of exactly these entries, in this order. */
export const rootOfDigests = (digests: readonly Uint8Array[], hash: Hash): Uint8Array =>
  rootOfLeafHashes(leafHashes(digests, hash), digests.length, hash);

const metadataBytes = (metadata: EntryMetadata | null): Uint8Array => {
  if (metadata === null) return nothing;
  const { deleted = false, expiresAt, nonIndexable = false } = metadata;
  return concatBytes(
    deleted ? Uint8Array.of(0) : nothing,
    expiresAt === undefined ? nothing : concatBytes(Uint8Array.of(1), uint64(expiresAt)),
    nonIndexable ? Uint8Array.of(2) : nothing,
  );
};
