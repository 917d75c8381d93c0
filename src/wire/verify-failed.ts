import { PipelineError } from '../errors.ts';
import { ProofError } from '../proofs/proof-error.ts';

/** The result of `work`; a proof that fails in it becomes VERIFY_FAILED. */
export const orVerifyFailed = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new PipelineError('VERIFY_FAILED', error.message, { cause: error });
  }
};
