import { PipelineError } from '../../../../../src/errors.ts';

/** The message of the LEDGER_FORMAT_INVALID that `work` ends with; fails if it ends otherwise. */
export const refusalOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'LEDGER_FORMAT_INVALID') return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};
