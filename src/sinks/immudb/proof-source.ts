import { PipelineError } from '../../errors.ts';
import { ProofError } from '../../proofs/proof-error.ts';
import type { LedgerClient } from './client.ts';

/** What of a ledger's client is needed to have something proven. Nothing that it answers is believed. */
export type ProofSource = Pick<LedgerClient, 'currentState' | 'verifiableTxById'>;

/** The result of `verify`; a proof that fails in it becomes LEDGER_PROOF_FAILED. */
export const orProofFailed = <T>(doing: string, verify: () => T): T => {
  try {
    return verify();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new PipelineError('LEDGER_PROOF_FAILED', `${doing}: ${error.message}`, { cause: error });
  }
};
