import { equalBytes } from '../../proofs/bytes.ts';
import { checkpointHash, requireSuccessor, type Checkpoint, type SignedCheckpoint } from '../../proofs/checkpoint.ts';
import { coverageLine } from '../../proofs/checkpoint-coverage.ts';
import { ProofError } from '../../proofs/proof-error.ts';
import { requireSignedState, type VerifySignature } from '../../proofs/state-signature.ts';
import { sha256 } from '../../sinks/immudb/sha256.ts';
import type { Lane } from './coverage.ts';
import type { Deviations } from './deviations.ts';
import { noteOf, sightings, type Sighting } from './sightings.ts';

/** A place where checkpoints lie: a topic, a folder. */
export type CheckpointPlace = {
  readonly name: string;
  /** All that lies there, as it was published; what is no checkpoint, too. `where` names each for people. */
  oldestFirst(): AsyncIterable<{ readonly where: string; readonly note: Uint8Array }>;
};

export type Checkpoints = {
  readonly places: readonly CheckpointPlace[];
  /** Throws ProofError unless it is a checkpoint that one of the believed keys signed. */
  readonly open: (note: Uint8Array) => SignedCheckpoint;
  /** Holds what immudb signed of its own state, where a checkpoint carries it. Left out: no key of immudb is known. */
  readonly signedState?: { readonly database: string; readonly verify: VerifySignature };
};

/** Checkpoints that hold, of those at transactions that the audit came to. */
export type CheckpointTally = { held: number; of: number };

/** A transaction that the audit has come to. */
type Reached = { readonly id: bigint; readonly alh: Uint8Array | null };

export type CheckpointCheck = {
  /** The ledger stands here: looks at every checkpoint that states this transaction. No hash: it could not be read. */
  at(tx: Reached, lanes: () => readonly Lane[]): Promise<void>;
  /** `known`: the last transaction that the ledger has by now. */
  settle(known: bigint): Promise<CheckpointTally>;
  close(): void;
};

/** A checkpoint, by its hash; and one that names another as the one before it. */
const itself = 1;
const successor = 2;

/**
 * Holds every checkpoint against the ledger as it is followed: signature, ledger, hash and coverage at its transaction,
 * and that the checkpoints are one chain in which none is missing and none has two successors, wherever they lie.
 * Each place is read once, beside the transactions; memory does not grow with their number.
 */
export const checkpointCheck = (
  { places, open, signedState }: Checkpoints,
  ledger: { readonly ledgerId: () => string | null; readonly genesis: () => Uint8Array | null },
  deviations: Deviations,
  folder?: string,
): CheckpointCheck => {
  const cursors = places.map((place) => cursorOf(place, open, deviations));
  const seen = sightings(folder === undefined ? {} : { folder });
  const tally: CheckpointTally = { held: 0, of: 0 };
  /** Of the oldest that was found: what is before it may have been deleted. */
  let firstTx: bigint | null = null;

  const remember = ({ checkpoint, note }: SignedCheckpoint): void => {
    const own = Buffer.from(checkpointHash(note.text, sha256));
    const tx = checkpoint.tx.id;
    seen.add(own, { kind: itself, tx, note: noteOf(own) });
    const before = Buffer.from(checkpoint.previous ?? new Uint8Array(32));
    seen.add(before, { kind: successor, tx, note: noteOf(own) });
  };

  const check = (found: Found, tx: Reached, lanes: () => readonly Lane[]): void => {
    tally.of += 1;
    const { checkpoint } = found.signed;
    const fault =
      faultOf(checkpoint, tx, lanes(), ledger.ledgerId(), ledger.genesis()) ??
      faultOfSignedState(checkpoint, signedState);
    if (fault === null) tally.held += 1;
    else deviations.add('checkpoint', { tx: tx.id, key: found.where }, fault);
    remember(found.signed);
  };

  /** Two that name one before them, and one that names a checkpoint which is nowhere. */
  const visit = (key: Buffer, rows: readonly Sighting[]): void => {
    const successors = rows.filter(({ kind }) => kind === successor);
    const [first, ...others] = [...new Map(successors.map((row) => [row.note, row])).values()];
    for (const { tx } of others) {
      const what = `another checkpoint than that of transaction ${first?.tx.toString() ?? ''} names the same one before it`;
      deviations.add('checkpoint', { tx }, what);
    }
    const isNamed = first !== undefined && !key.equals(Buffer.alloc(16));
    if (isNamed && !rows.some(({ kind }) => kind === itself) && first.tx !== firstTx) {
      deviations.add('checkpoint', { tx: first.tx }, 'the checkpoint before it is nowhere');
    }
  };

  /** Of all places the next one by its number; one that lies in several is taken once. Null: none up to there. */
  const take = async (upTo: bigint | null): Promise<Found | null> => {
    let first: Found | null = null;
    const heads: Found[] = [];
    for (const { head } of cursors) {
      const found = await head();
      if (found === null || (upTo !== null && found.signed.checkpoint.tx.id > upTo)) continue;
      heads.push(found);
      if (first === null || found.signed.checkpoint.sequence < first.signed.checkpoint.sequence) first = found;
    }
    for (const { drop, signed } of heads) if (signed.note.text === first?.signed.note.text) drop();
    return first;
  };

  return {
    at: async (tx, lanes) => {
      for (let found = await take(tx.id); found !== null; found = await take(tx.id)) {
        const stated = found.signed.checkpoint.tx.id;
        firstTx ??= stated;
        if (stated === tx.id) check(found, tx, lanes);
        else {
          tally.of += 1;
          deviations.add('checkpoint', { tx: stated, key: found.where }, 'it goes back to an older transaction');
          remember(found.signed);
        }
      }
    },
    settle: async (known) => {
      for (let found = await take(null); found !== null; found = await take(null)) {
        const { id } = found.signed.checkpoint.tx;
        if (id <= known) continue; // published while the audit ran
        tally.of += 1;
        const what = `it states transaction ${id.toString()}, the ledger ends at ${known.toString()}: it was rolled back`;
        deviations.add('checkpoint', { tx: id, key: found.where }, what);
      }
      seen.visit(visit);
      return tally;
    },
    close: () => seen.close(),
  };
};

type Found = {
  readonly where: string;
  readonly signed: SignedCheckpoint;
  /** Goes on to the next one of this place. */
  readonly drop: () => void;
};

/** One place, read as it is needed. What is no checkpoint of ours is named; each is held against the one before it. */
const cursorOf = (place: CheckpointPlace, open: Checkpoints['open'], deviations: Deviations) => {
  const notes = place.oldestFirst()[Symbol.asyncIterator]();
  let found: Found | null = null;
  let before: SignedCheckpoint | null = null;
  let isOver = false;

  const read = async (): Promise<Found | null> => {
    for (;;) {
      const next = await notes.next();
      if (next.done === true) return null;
      const { value } = next;
      const opened = openedOr(() => open(value.note));
      if (!(opened instanceof ProofError)) {
        checkSuccession(value.where, opened);
        if (before?.note.text === opened.note.text) continue;
        before = opened;
        return { where: value.where, signed: opened, drop: () => (found = null) };
      }
      deviations.add('checkpoint', { key: value.where }, `it is no checkpoint that is believed: ${opened.message}`);
    }
  };

  /** Only of two that follow each other here; whether all are one chain shows at the end. */
  const checkSuccession = (where: string, { checkpoint, note }: SignedCheckpoint): void => {
    if (before === null || before.note.text === note.text || checkpoint.previous === null) return;
    const { text } = before.note;
    if (!equalBytes(checkpoint.previous, checkpointHash(text, sha256))) return;
    const fault = openedOr(() => requireSuccessor(text, checkpoint, sha256));
    if (fault instanceof ProofError) deviations.add('checkpoint', { tx: checkpoint.tx.id, key: where }, fault.message);
  };

  return {
    head: async (): Promise<Found | null> => {
      if (found === null && !isOver) {
        found = await read();
        isOver = found === null;
      }
      return found;
    },
  };
};

const openedOr = <T>(act: () => T): T | ProofError => {
  try {
    return act();
  } catch (error) {
    if (error instanceof ProofError) return error;
    throw error;
  }
};

const faultOf = (
  { tx, genesis, covers, ledgerId }: Checkpoint,
  found: Reached,
  lanes: readonly Lane[],
  ownId: string | null,
  ownGenesis: Uint8Array | null,
): string | null => {
  if (ownId !== null && ledgerId !== ownId) return `it is of another ledger: ${ledgerId}`;
  if (ownGenesis !== null && !equalBytes(genesis, ownGenesis)) return 'it states another genesis';
  if (found.alh === null) return 'its transaction cannot be read';
  if (!equalBytes(tx.alh, found.alh)) return 'it states another hash than the ledger has: the ledger has another past';
  if (lanes.some(({ isTorn }) => isTorn)) return null;
  const [stated, due] = [covers, lanes].map((list) => list.map(coverageLine));
  const wrong =
    (stated ?? []).find((line) => due?.includes(line) !== true) ?? due?.find((line) => stated?.includes(line) !== true);
  return wrong === undefined ? null : `its coverage is not that of the marks at its transaction: ${wrong}`;
};

/** A checkpoint that immudb's signature is missing from is older than its key, or immudb does not sign. */
const faultOfSignedState = ({ tx, signedState }: Checkpoint, due: Checkpoints['signedState']): string | null => {
  if (signedState === null || due === undefined) return null;
  const { database, signature } = signedState;
  if (database !== due.database) return `what immudb signed is the state of another database: ${database}`;
  const fault = openedOr(() => requireSignedState(database, tx, signature, due.verify));
  return fault instanceof ProofError ? `what immudb signed is not this state: ${fault.message}` : null;
};
