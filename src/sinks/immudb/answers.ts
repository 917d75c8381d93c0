import type { DualProof, LinearProof } from '../../proofs/dual-proof.ts';
import type { EntryMetadata, StoredEntry } from '../../proofs/entry.ts';
import type { TxHeader, TxMetadata } from '../../proofs/header.ts';
import type { LinearAdvance } from '../../proofs/linear-advance.ts';
import { LedgerError } from './errors.ts';
import type * as wire from './proto/messages.ts';
import type { Message } from './proto/wire.ts';

type On<M> = M extends Message<infer Out, never> ? Out : never;

/** A key and a value as a read states them. Nothing of it is proven. */
export type LedgerEntry = {
  readonly tx: bigint;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly metadata: EntryMetadata | null;
  readonly expired: boolean;
  /** How often the key was written up to here, from 1. */
  readonly revision: bigint;
  /** Reached through a reference, which no writer of ours makes. */
  readonly isReference: boolean;
};

/** An entry as its transaction states it; the digests of all entries make the header's `eH`. */
export type TxEntry = StoredEntry & {
  readonly storedKey: Buffer;
  readonly hValue: Buffer;
  /** With its one-byte prefix; empty when only digests were asked for, or the entry deletes. Hash it to believe it. */
  readonly storedValue: Buffer;
};

export type Tx = { readonly header: TxHeader; readonly entries: readonly TxEntry[] };
export type StateSignature = { readonly publicKey: Buffer; readonly signature: Buffer };

/** Transaction `tx` and the proof between it and the one that was asked for, whichever came first. */
export type VerifiableTx = {
  readonly tx: Tx;
  readonly dualProof: DualProof;
  /** Over the target of the dual proof; null unless the server signs. */
  readonly signature: StateSignature | null;
};

/** `width` and `leaf` are only what the server says: take the width from a proven header. */
export type EntryInclusion = { readonly leaf: number; readonly width: number; readonly path: readonly Buffer[] };
export type VerifiableEntry = {
  readonly entry: LedgerEntry;
  readonly inclusion: EntryInclusion;
  readonly verifiableTx: VerifiableTx;
};

export type LedgerState = {
  readonly database: string;
  /** 0: no transaction yet. */
  readonly txId: bigint;
  readonly alh: Buffer;
  readonly signature: StateSignature | null;
};

export const headerOf = ({ metadata, ...rest }: On<typeof wire.txHeader>): TxHeader => ({
  ...rest,
  metadata: metadata === null ? null : txMetadataOf(metadata),
});

/** immudb sends the message even when nothing is in it, which hashes as none. */
const txMetadataOf = ({ truncatedTxId, extra }: On<typeof wire.txMetadata>): TxMetadata | null => {
  if (truncatedTxId === 0n && extra.length === 0) return null;
  return { ...(truncatedTxId === 0n ? {} : { truncatedTxId }), ...(extra.length === 0 ? {} : { extra }) };
};

export const entryOf = (entry: On<typeof wire.entry>): LedgerEntry => ({
  tx: entry.tx,
  key: entry.key,
  value: entry.value,
  metadata: metadataOf(entry.metadata),
  expired: entry.expired,
  revision: entry.revision,
  isReference: entry.referencedBy !== null,
});

export const txOf = ({ header, entries }: On<typeof wire.tx>): Tx => ({
  header: headerOf(required(header, 'header of a transaction')),
  entries: entries.map(({ key, hValue, metadata, value }) => ({
    storedKey: key,
    hValue,
    metadata: metadataOf(metadata),
    storedValue: value,
  })),
});

export const verifiableTxOf = ({ tx, dualProof, signature }: On<typeof wire.verifiableTx>): VerifiableTx => ({
  tx: txOf(required(tx, 'transaction of a proof')),
  dualProof: dualProofOf(required(dualProof, 'dual proof')),
  signature,
});

export const verifiableEntryOf = (answer: On<typeof wire.verifiableEntry>): VerifiableEntry => {
  const { leaf, width, terms } = required(answer.inclusionProof, 'inclusion proof');
  return {
    entry: entryOf(required(answer.entry, 'entry of a proof')),
    inclusion: { leaf, width, path: terms },
    verifiableTx: verifiableTxOf(required(answer.verifiableTx, 'transaction of a proof')),
  };
};

export const stateOf = ({ db, txId, txHash, signature }: On<typeof wire.immutableState>): LedgerState => ({
  database: db,
  txId,
  alh: txHash,
  signature,
});

const dualProofOf = (proof: On<typeof wire.dualProof>): DualProof => ({
  source: headerOf(required(proof.sourceTxHeader, 'source of a dual proof')),
  target: headerOf(required(proof.targetTxHeader, 'target of a dual proof')),
  inclusion: proof.inclusionProof,
  consistency: proof.consistencyProof,
  targetBlTxAlh: proof.targetBlTxAlh,
  lastInclusion: proof.lastInclusionProof,
  linear: proof.linearProof satisfies LinearProof | null,
  linearAdvance: linearAdvanceOf(proof.linearAdvanceProof),
});

const linearAdvanceOf = (proof: On<typeof wire.dualProof>['linearAdvanceProof']): LinearAdvance | null =>
  proof === null
    ? null
    : {
        terms: proof.linearProofTerms,
        inclusions: proof.inclusionProofs.map(({ leaf, width, terms }) => ({ leaf, width, path: terms })),
      };

/** A present but empty metadata message counts as none. */
const metadataOf = (metadata: On<typeof wire.kvMetadata> | null): EntryMetadata | null => {
  if (metadata === null) return null;
  const { deleted, expiration, nonIndexable } = metadata;
  if (!deleted && expiration === null && !nonIndexable) return null;
  return { deleted, nonIndexable, ...(expiration === null ? {} : { expiresAt: expiration.expiresAt }) };
};

const required = <T>(value: T | null, what: string): T => {
  if (value !== null) return value;
  throw new LedgerError('LEDGER_ANSWER_INVALID', `immudb answered without the ${what}`, { outcome: 'unknown' });
};
