import { base64OfBytes, bytesOfBase64 } from './base64.ts';
import { equalBytes } from './bytes.ts';
import { coverageLine, parseCoverage, requireExtends, requireOrdered, type Coverage } from './checkpoint-coverage.ts';
import { digestBytes, type Hash } from './hash.ts';
import type { TxHash } from './linking.ts';
import { parseNote, requireSigned, type Note, type VerifyEd25519 } from './note.ts';
import type { NoteKey } from './note-key.ts';
import { requireProof } from './proof-error.ts';
import { bytesOfText } from './utf8.ts';

/**
 * What a publisher states of a ledger at one transaction; docs/checkpoint-format.md specifies the text. The hash commits
 * to every transaction up to this one, the coverage says which Kafka offsets these account for.
 */
export type Checkpoint = {
  readonly ledgerId: string;
  readonly tx: TxHash;
  /** Accumulated hash of transaction 1. */
  readonly genesis: Uint8Array;
  /** 1, 2, 3 …: each one more than that of the checkpoint before. */
  readonly sequence: bigint;
  /** Grows whenever another process takes publishing up. */
  readonly epoch: bigint;
  /** `checkpointHash` of the checkpoint before; null in the first. */
  readonly previous: Uint8Array | null;
  /** By the publisher's clock: a statement of its own, proven by nothing. `2026-01-31T12:00:00.000Z`. */
  readonly time: string;
  /** immudb's own signature (DER) over its state at this very transaction, where it signs; null: it does not. */
  readonly signedState: { readonly database: string; readonly signature: Uint8Array } | null;
  /** Every partition that has a mark at or before this transaction, by log and partition. */
  readonly covers: readonly Coverage[];
};

const originPrefix = 'immutrail/';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const isTime = (text: string): boolean => time.test(text) && !Number.isNaN(Date.parse(text));
const maxUint64 = (1n << 64n) - 1n;

/** The text that is signed. Throws ProofError (`malformed`) for a checkpoint that `parseCheckpoint` would refuse. */
export const formatCheckpoint = (checkpoint: Checkpoint): string => {
  const { ledgerId, tx, genesis, sequence, epoch, previous, signedState, covers } = checkpoint;
  requireWellFormed(checkpoint);
  const lines = [
    `${originPrefix}${ledgerId}`,
    tx.id.toString(),
    base64OfBytes(tx.alh),
    `genesis ${base64OfBytes(genesis)}`,
    `sequence ${sequence.toString()}`,
    `epoch ${epoch.toString()}`,
    `previous ${previous === null ? 'none' : base64OfBytes(previous)}`,
    `time ${checkpoint.time}`,
    ...(signedState === null ? [] : [`immudb ${signedState.database} ${base64OfBytes(signedState.signature)}`]),
    ...covers.map(coverageLine),
  ];
  return lines.map((line) => `${line}\n`).join('');
};

/** The checkpoint that this text states. Throws ProofError (`malformed`) for all but the one text of a checkpoint. */
export const parseCheckpoint = (text: string): Checkpoint => {
  const lines = text.split('\n');
  const take = (label: string): string => {
    const line = lines.shift() ?? '';
    requireProof(line.startsWith(label), 'malformed', `a checkpoint has no line "${label}…" where it must be`);
    return line.slice(label.length);
  };
  const digest = (label: string): Uint8Array => bytesOfBase64(take(label), 'hash of a checkpoint');
  const ledgerId = take(originPrefix);
  const tx = { id: decimal(take('')), alh: digest('') };
  const genesis = digest('genesis ');
  const [sequence, epoch] = [decimal(take('sequence ')), decimal(take('epoch '))];
  const before = take('previous ');
  const previous = before === 'none' ? null : bytesOfBase64(before, 'hash of the checkpoint before');
  const stated = take('time ');
  const signedState = lines[0]?.startsWith('immudb ') === true ? parseSignedState(take('immudb ')) : null;
  requireProof(lines.pop() === '', 'malformed', 'a checkpoint does not end with a line');
  const covers = lines.map(parseCoverage);
  const checkpoint = { ledgerId, tx, genesis, sequence, epoch, previous, time: stated, signedState, covers };
  requireProof(formatCheckpoint(checkpoint) === text, 'malformed', 'a checkpoint is not in its one form');
  return checkpoint;
};

/** What the next checkpoint names as the one before it: the hash of the signed text, whoever signed it. */
export const checkpointHash = (text: string, hash: Hash): Uint8Array => hash(bytesOfText(text));

export type SignedCheckpoint = {
  readonly checkpoint: Checkpoint;
  readonly note: Note;
  /** Those of the accepted keys that signed it; at least one. */
  readonly signedBy: readonly NoteKey[];
};

/** The checkpoint in this note, signed with one of `keys`. Throws ProofError (`malformed`, `signature`). */
export const openCheckpoint = (
  source: string | Uint8Array,
  keys: readonly NoteKey[],
  verify: VerifyEd25519,
): SignedCheckpoint => {
  const note = parseNote(source);
  const signedBy = requireSigned(note, keys, verify);
  return { checkpoint: parseCheckpoint(note.text), note, signedBy };
};

/**
 * Throws ProofError (`chain`) unless `next` may follow the checkpoint of `previousText`. That the ledger at `next`
 * extends the ledger at the one before is not shown by this: a dual proof, or the headers between, do.
 */
export const requireSuccessor = (previousText: string, next: Checkpoint, hash: Hash): void => {
  const previous = parseCheckpoint(previousText);
  const require = (holds: boolean, what: string) =>
    requireProof(holds, 'chain', `checkpoint ${next.sequence.toString()} ${what}`);
  require(next.ledgerId === previous.ledgerId && equalBytes(next.genesis, previous.genesis), 'is of another ledger');
  require(next.sequence === previous.sequence + 1n, `does not follow ${previous.sequence.toString()}`);
  const named = next.previous;
  require(named !== null &&
    equalBytes(named, checkpointHash(previousText, hash)), 'names another checkpoint before it');
  require(next.epoch >= previous.epoch, 'is of an older epoch than the one before');
  require(next.tx.id >= previous.tx.id, 'goes back to an older transaction');
  const isSameTx = next.tx.id === previous.tx.id;
  require(!isSameTx || equalBytes(next.tx.alh, previous.tx.alh), 'has another hash for the same transaction');
  requireExtends(previous.covers, next.covers, isSameTx);
};

const parseSignedState = (rest: string): Checkpoint['signedState'] => {
  const [database = '', encoded = ''] = rest.split(' ');
  return { database, signature: bytesOfBase64(encoded, 'signature of immudb') };
};

const decimal = (text: string): bigint => {
  requireProof(/^[1-9][0-9]{0,19}$/.test(text), 'malformed', 'a checkpoint has a number that is not one');
  return BigInt(text);
};

const requireWellFormed = (checkpoint: Checkpoint): void => {
  const { ledgerId, tx, genesis, sequence, epoch, previous, signedState, covers } = checkpoint;
  const require = (holds: boolean, what: string) =>
    requireProof(holds, 'malformed', `a checkpoint has no well-formed ${what}`);
  require(uuid.test(ledgerId), 'ledger id');
  for (const number of [tx.id, sequence, epoch]) require(number >= 1n && number <= maxUint64, 'number');
  for (const each of [tx.alh, genesis, ...(previous === null ? [] : [previous])])
    require(each.length === digestBytes, 'hash');
  require(tx.id > 1n || equalBytes(tx.alh, genesis), 'genesis');
  require((sequence === 1n) === (previous === null), 'link to the one before');
  require(isTime(checkpoint.time), 'time');
  require(signedState === null || /^[a-z0-9]{1,128}$/.test(signedState.database), 'name of a database');
  require(signedState === null || signedState.signature.length > 0, 'signature of immudb');
  requireOrdered(covers);
};
