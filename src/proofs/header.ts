import { concatBytes, requireDigest, uint16, uint32, uint64 } from './bytes.ts';
import type { Hash } from './hash.ts';
import { requireProof } from './proof-error.ts';

/** A transaction's header as immudb states it: what `alh` commits to. */
export type TxHeader = {
  readonly id: bigint;
  /** Accumulated hash of the transaction before; SHA-256 of nothing in transaction 1. */
  readonly prevAlh: Uint8Array;
  /** Unix seconds by the server's clock; 0 when the database leaves commit times out. */
  readonly ts: bigint;
  readonly nentries: number;
  /** Root of the tree of its entries. */
  readonly eH: Uint8Array;
  /** Number of transactions under `blRoot`; id - 1 in everything that a current server writes. */
  readonly blTxId: bigint;
  /** Root of the tree of accumulated hashes of transactions 1 to `blTxId`; 32 zero bytes when that is 0. */
  readonly blRoot: Uint8Array;
  readonly version: number;
  readonly metadata: TxMetadata | null;
};

export type TxMetadata = {
  /** Values of transactions below this one are gone. Absent or 0: none. */
  readonly truncatedTxId?: bigint;
  /** What the server noted about the request, if it was told to. Absent or empty: nothing. */
  readonly extra?: Uint8Array;
};

const maxUint64 = (1n << 64n) - 1n;
const maxInt64 = (1n << 63n) - 1n;
const maxInt32 = 0x7fff_ffff;
const maxExtraBytes = 0xffff;

/**
 * The header's accumulated hash: commits to this transaction and, through `prevAlh` and `blRoot`, to all before it.
 * Throws ProofError (`unsupported`, `malformed`) for a header that immudb's version 1 cannot state.
 */
export const alh = (header: TxHeader, hash: Hash): Uint8Array => {
  requireWellFormed(header);
  return alhOfInner(header.id, header.prevAlh, innerHash(header, hash), hash);
};

/** The accumulated hash from its three parts, as the terms of a linear proof give them. */
export const alhOfInner = (id: bigint, prevAlh: Uint8Array, inner: Uint8Array, hash: Hash): Uint8Array =>
  hash(concatBytes(uint64(id), prevAlh, inner));

const innerHash = (header: TxHeader, hash: Hash): Uint8Array => {
  const metadata = metadataBytes(header.metadata);
  return hash(
    concatBytes(
      uint64(header.ts),
      uint16(header.version),
      uint16(metadata.length),
      metadata,
      uint32(header.nentries),
      header.eH,
      uint64(header.blTxId),
      header.blRoot,
    ),
  );
};

const metadataBytes = (metadata: TxMetadata | null): Uint8Array => {
  const truncated = metadata?.truncatedTxId ?? 0n;
  const extra = metadata?.extra ?? new Uint8Array();
  return concatBytes(
    ...(truncated === 0n ? [] : [Uint8Array.of(0), uint64(truncated)]),
    ...(extra.length === 0 ? [] : [Uint8Array.of(1), uint16(extra.length), extra]),
  );
};

/** Numbers outside their fields would be cut when hashed, so two headers could share a hash: refuse them first. */
const requireWellFormed = (header: TxHeader): void => {
  const name = `header of transaction ${header.id.toString()}`;
  requireProof(header.version === 1, 'unsupported', `${name} has version ${header.version}; only 1 is relied on`);
  requireProof(header.id >= 1n && header.id <= maxUint64, 'malformed', `${name}: id out of range`);
  requireProof(header.blTxId >= 0n && header.blTxId < header.id, 'malformed', `${name}: blTxId out of range`);
  requireProof(header.ts >= -maxInt64 - 1n && header.ts <= maxInt64, 'malformed', `${name}: ts out of range`);
  const { nentries, metadata } = header;
  const counted = Number.isInteger(nentries) && nentries >= 1 && nentries <= maxInt32;
  requireProof(counted, 'malformed', `${name}: nentries out of range`);
  const truncated = metadata?.truncatedTxId ?? 0n;
  requireProof(truncated >= 0n && truncated <= maxUint64, 'malformed', `${name}: truncatedTxId out of range`);
  requireProof((metadata?.extra?.length ?? 0) <= maxExtraBytes, 'malformed', `${name}: extra is too long`);
  requireDigest(header.prevAlh, `prevAlh of ${name}`);
  requireDigest(header.eH, `eH of ${name}`);
  requireDigest(header.blRoot, `blRoot of ${name}`);
};
