import { PipelineError } from '../../errors.ts';
import type { Coverage } from '../../proofs/checkpoint-coverage.ts';
import { checkpointHash, formatCheckpoint, requireSuccessor, type Checkpoint } from '../../proofs/checkpoint.ts';
import type { TxHash } from '../../proofs/linking.ts';
import { signNote, type NoteSigner } from '../../proofs/note.ts';
import { orProofFailed } from '../immudb/proof-source.ts';
import { sha256 } from '../immudb/sha256.ts';

/** The ledger as whoever signs for it sees it. */
export type LedgerView = {
  readonly ledgerId: string;
  readonly database: string;
  readonly genesis: Uint8Array;
  /** The server's present state, proven to extend what is trusted; with immudb's signature where that was checked. */
  present(): Promise<TxHash & { readonly signature: Uint8Array | null }>;
  /** What the ledger covers at this transaction, proven. */
  coverageAt(tx: bigint): Promise<readonly Coverage[]>;
  /** Rejects with LEDGER_PROOF_FAILED or LEDGER_ROLLED_BACK unless this very transaction is in the ledger. */
  requireHolds(tx: TxHash): Promise<void>;
  readonly signers: readonly NoteSigner[];
  /** Unix milliseconds: what is stated as the time. */
  readonly wallMs: () => number;
};

export type Before = { readonly text: string; readonly checkpoint: Checkpoint };
export type Made = Before & { readonly note: string };

/**
 * The checkpoint of this state, signed, to follow the one before. Rejects with LEDGER_PROOF_FAILED when what it would
 * state does not follow: coverage that went back was taken out of the ledger.
 */
export const nextCheckpoint = async (
  view: LedgerView,
  state: TxHash & { readonly signature: Uint8Array | null },
  before: Before | null,
  epoch: bigint,
): Promise<Made> => {
  const { ledgerId, database, genesis, signers, wallMs } = view;
  if (before !== null && before.checkpoint.tx.id > state.id) {
    const [had, has] = [before.checkpoint.tx.id.toString(), state.id.toString()];
    throw new PipelineError('LEDGER_ROLLED_BACK', `a checkpoint states transaction ${had}, immudb ends at ${has}`);
  }
  const checkpoint: Checkpoint = {
    ledgerId,
    tx: { id: state.id, alh: state.alh },
    genesis,
    sequence: (before?.checkpoint.sequence ?? 0n) + 1n,
    epoch,
    previous: before === null ? null : checkpointHash(before.text, sha256),
    time: new Date(wallMs()).toISOString(),
    signedState: state.signature === null ? null : { database, signature: state.signature },
    covers: await view.coverageAt(state.id),
  };
  const doing = `stating transaction ${state.id.toString()}`;
  if (before !== null) orProofFailed(doing, () => requireSuccessor(before.text, checkpoint, sha256));
  const text = formatCheckpoint(checkpoint);
  return { checkpoint, text, note: signNote(text, signers) };
};
