import { base64OfBytes, bytesOfBase64 } from './base64.ts';
import { equalBytes } from './bytes.ts';
import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { digestOfEntry } from './entry.ts';
import { readEventValue, type EventStatement } from './event-value.ts';
import type { Hash } from './hash.ts';
import { alh, type TxHeader } from './header.ts';
import { headerOfMember, headerToJson } from './header-json.ts';
import { membersOfText } from './json-members.ts';
import { requireLinked, type TxHash } from './linking.ts';
import { leafHash, verifyInclusion } from './merkle-tree.ts';
import { parseNote, type VerifyEd25519 } from './note.ts';
import { formatNoteKey, parseNoteKey, type NoteKey } from './note-key.ts';
import { requireProof } from './proof-error.ts';
import { signersOf, type SignedBy } from './signer.ts';
import { requireSignedState, type VerifySignature } from './state-signature.ts';
import { bytesOfText } from './utf8.ts';

/** The proof that one event is in a ledger, complete: docs/receipt-format.md specifies it. */
export type Receipt = {
  /** Key and value of the event's entry, as they are in the ledger. */
  readonly key: string;
  readonly value: string;
  /** Position of the entry in its transaction, from 0, and the siblings from there to the root. */
  readonly leaf: number;
  readonly path: readonly Uint8Array[];
  readonly header: TxHeader;
  /** The signed note. */
  readonly checkpoint: string;
  /** The header of the checkpoint's transaction and the path of the event's transaction in it; null: it is the same. */
  readonly link: { readonly header: TxHeader; readonly path: readonly Uint8Array[] } | null;
  /** The public keys that the receipt's maker says signed the checkpoint. They prove nothing unless pinned. */
  readonly keys: readonly NoteKey[];
};

const receiptKind = 'immutrail-receipt';
const names = ['kind', 'v', 'key', 'value', 'leaf', 'path', 'header', 'checkpoint', 'keys'];

export const formatReceipt = (receipt: Receipt): string => {
  const { key, value, leaf, path, header, checkpoint, link, keys } = receipt;
  const json = {
    kind: receiptKind,
    v: 1,
    ...{ key, value, leaf },
    path: path.map(base64OfBytes),
    header: headerToJson(header),
    checkpoint,
    ...(link !== null && {
      checkpoint_header: headerToJson(link.header),
      linking_path: link.path.map(base64OfBytes),
    }),
    keys: keys.map(formatNoteKey),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
};

/** Throws ProofError (`malformed`) for what is not a receipt. Nothing is proven yet. */
export const parseReceipt = (text: string, hash: Hash): Receipt => {
  const json = membersOfText(text, 'the receipt', names, ['checkpoint_header', 'linking_path']);
  requireProof(json.text('kind') === receiptKind && json.whole('v') === 1, 'unsupported', 'not a receipt of version 1');
  const digests = (name: string) => json.texts(name).map((each) => bytesOfBase64(each, `hash in ${name}`));
  const isLinked = json.has('checkpoint_header');
  requireProof(isLinked === json.has('linking_path'), 'malformed', 'a link to the checkpoint is not complete');
  return {
    key: json.text('key'),
    value: json.text('value'),
    leaf: json.whole('leaf'),
    path: digests('path'),
    header: headerOfMember(json, 'header'),
    checkpoint: json.text('checkpoint'),
    link: isLinked ? { header: headerOfMember(json, 'checkpoint_header'), path: digests('linking_path') } : null,
    keys: json.texts('keys').map((key) => parseNoteKey(key, hash)),
  };
};

/** What is known beforehand of who signs, and how to check it. */
export type Trust = {
  /** Keys that were pinned. None: the receipt's own are believed, and the finding says so. */
  readonly keys: readonly NoteKey[];
  readonly hash: Hash;
  readonly verify: VerifyEd25519;
  /** Checks immudb's signature with its pinned key. Left out: it is not checked, and the finding says so. */
  readonly verifyState?: VerifySignature;
};

/** What was proven, and what was not. */
export type ReceiptFinding = EventStatement & {
  /** The transaction that the event is in, and where in it. */
  readonly tx: bigint;
  readonly entry: { readonly leaf: number; readonly of: number };
  /** By immudb's clock, Unix seconds: committed to by the hash, but only as good as that clock. */
  readonly committedAt: bigint;
  readonly checkpoint: Checkpoint;
  readonly signedBy: SignedBy;
  /** immudb's own signature of the state at the checkpoint. */
  readonly ledgerSignature: 'pinned' | 'not checked' | 'absent';
};

/** Throws ProofError unless all of it holds: the event in its transaction, that in the checkpoint's ledger, signatures. */
export const verifyReceipt = (receipt: Receipt, { keys: pinned, hash, verify, verifyState }: Trust): ReceiptFinding => {
  const statement = readEventValue(receipt.key, receipt.value, hash);
  verifyEntry(receipt, hash);
  const note = parseNote(receipt.checkpoint);
  const signedBy = signersOf(note, { pinned, stated: receipt.keys }, verify);
  const checkpoint = parseCheckpoint(note.text);
  verifyLink(receipt, checkpoint.tx, hash);
  requireCovered(statement, checkpoint);
  return {
    ...statement,
    tx: receipt.header.id,
    entry: { leaf: receipt.leaf, of: receipt.header.nentries },
    committedAt: receipt.header.ts,
    ...{ checkpoint, signedBy },
    ledgerSignature: checkLedgerSignature(checkpoint, verifyState),
  };
};

const verifyEntry = ({ key, value, leaf, path, header }: Receipt, hash: Hash): void => {
  const digest = digestOfEntry({ key: bytesOfText(key), value: bytesOfText(value), metadata: null }, hash);
  const [index, width] = [BigInt(leaf), BigInt(header.nentries)];
  verifyInclusion({ index, width, leaf: leafHash(digest, hash), path, root: header.eH }, hash);
};

/** From the event's transaction to the checkpoint's hash: it is that transaction, or it is in its linking tree. */
const verifyLink = ({ header, link }: Receipt, signed: TxHash, hash: Hash): void => {
  const own = { id: header.id, alh: alh(header, hash) };
  const end = link === null ? own : { id: link.header.id, alh: alh(link.header, hash) };
  const isSigned = end.id === signed.id && equalBytes(end.alh, signed.alh);
  requireProof(isSigned, 'anchor', 'the receipt does not lead to the hash that the checkpoint states');
  if (link === null) return;
  requireProof(link.header.blTxId === link.header.id - 1n, 'unsupported', 'linking tree of the checkpoint lags');
  requireLinked(own, link.path, link.header, hash);
};

/** A receipt of an event that the checkpoint does not account for was put together from two ledgers. */
const requireCovered = ({ source }: EventStatement, { covers }: Checkpoint): void => {
  const { log, partition, offset } = source;
  const covered = covers.find((each) => each.log === log && each.partition === partition);
  const isCovered = covered !== undefined && covered.next > offset;
  requireProof(isCovered, 'statement', 'the checkpoint does not cover the offset that the event came from');
};

/** Throws ProofError (`signature`) for a signature that is there, can be checked and is wrong. */
const checkLedgerSignature = (
  { tx, signedState }: Checkpoint,
  verify: VerifySignature | undefined,
): ReceiptFinding['ledgerSignature'] => {
  if (signedState === null) return 'absent';
  if (verify === undefined) return 'not checked';
  requireSignedState(signedState.database, tx, signedState.signature, verify);
  return 'pinned';
};
