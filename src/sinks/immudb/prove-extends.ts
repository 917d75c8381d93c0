import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { chainAtTarget, type ChainState } from '../../proofs/chain.ts';
import { verifyDualProof } from '../../proofs/dual-proof.ts';
import { requireProof } from '../../proofs/proof-error.ts';
import { requireSignedState, type VerifySignature } from '../../proofs/state-signature.ts';
import type { LedgerState } from './answers.ts';
import type { CallOptions } from './session.ts';
import { orProofFailed, type ProofSource } from './proof-source.ts';
import { sha256 } from './sha256.ts';

export type ProveExtendsOptions = CallOptions & {
  /** The key that the server must sign with, and the database's name. Absent: signatures are not looked at. */
  readonly signed?: { readonly database: string; readonly verify: VerifySignature };
  /**
   * A state before the trusted one, that was proven, too. When there is nothing beyond what is trusted (the chain was
   * followed so far), the server must prove that its state extends this one.
   */
  readonly anchor?: ChainState;
};

/** A state that was proven, with the server's signature of it where that was checked. */
export type ProvenState = ChainState & { readonly signature: Uint8Array | null };

/**
 * Where the ledger stands now, proven to extend what is trusted: trust it from here on, and follow the chain from it
 * with the frontier that the proof brings (null if nothing is new and none was known). Rejects with
 * LEDGER_ROLLED_BACK when the ledger knows less than was seen, LEDGER_PROOF_FAILED when it has another past, and with
 * what the source rejects with.
 */
export const proveExtends = async (
  source: ProofSource,
  trusted: ChainState,
  { signed, anchor, ...call }: ProveExtendsOptions = {},
): Promise<ProvenState> => {
  const state = await source.currentState(call);
  const doing = `proving that transaction ${state.txId.toString()} extends ${trusted.id.toString()}`;
  if (signed !== undefined) orProofFailed(doing, () => requireSigned(state, signed));
  if (state.txId < trusted.id) throw rolledBack(doing, `immudb ends at ${state.txId.toString()}`);
  const signature = signed === undefined ? null : (state.signature?.signature ?? null);
  const isNew = state.txId > trusted.id;
  if (!isNew) orProofFailed(doing, () => sameAs(state, trusted));
  const from = isNew ? trusted : (anchor ?? trusted);
  if (from.id >= state.txId) return { ...trusted, signature };
  const answer = await source.verifiableTxById(state.txId, from.id, 'none', call);
  if (answer === null) throw rolledBack(doing, 'immudb does not know it any more');
  return orProofFailed(doing, () => {
    const claim = { proof: answer.dualProof, source: from.id, target: state.txId, trusted: from };
    verifyDualProof(claim, sha256);
    return { ...sameAs(state, chainAtTarget(answer.dualProof, sha256)), signature };
  });
};

const requireSigned = (state: LedgerState, { database, verify }: NonNullable<ProveExtendsOptions['signed']>): void =>
  requireSignedState(database, { id: state.txId, alh: state.alh }, state.signature?.signature ?? null, verify);

const sameAs = (state: LedgerState, proven: ChainState): ChainState => {
  requireProof(equalBytes(state.alh, proven.alh), 'anchor', 'the state has another hash than what is proven');
  return proven;
};

const rolledBack = (doing: string, what: string): PipelineError =>
  new PipelineError('LEDGER_ROLLED_BACK', `${doing}: ${what}`);
