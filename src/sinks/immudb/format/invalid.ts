import { PipelineError } from '../../../errors.ts';

/** Ends the reading or writing of `subject` (mostly a key): it is not what format 1 allows. Never returns. */
export const refuse = (subject: string, reason: string): never => {
  throw new PipelineError('LEDGER_FORMAT_INVALID', `ledger format, ${shown(subject)}: ${reason}`);
};

/** A key can be anything that somebody wrote into the ledger; a message stays one short line. */
const shown = (subject: string): string => subject.replace(/[\u0000-\u001f\u007f-\u009f]/g, '?').slice(0, 600);
