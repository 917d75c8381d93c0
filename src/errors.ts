/**
 * Every way this project fails, decided once. A failure is classified where it is met, by choosing its code here:
 *
 * - `retry`: the outside is at fault; wait and try again, hold the partitions, dead-letter nothing.
 * - `dead-letter`: the record is at fault; it alone leaves the batch.
 * - `halt`: a bug, a proof that failed, or a person must decide; the offset stays and the process ends with `exitCode`.
 * - `usage`: what a person typed or configured is wrong; nothing was changed.
 *
 * docs/errors.md is generated from this table and tested equal to it.
 */
export type Disposition = 'retry' | 'dead-letter' | 'halt' | 'usage';

export type ErrorEntry = {
  readonly disposition: Disposition;
  /** What the process ends with when this error ends it. */
  readonly exitCode: number;
  /** What it means, in one sentence. */
  readonly meaning: string;
  /** What the reader should do. */
  readonly advice: string;
};

const retry = (meaning: string, advice: string): ErrorEntry => ({ disposition: 'retry', exitCode: 75, meaning, advice });
const halt = (exitCode: number, meaning: string, advice: string): ErrorEntry => ({
  disposition: 'halt',
  exitCode,
  meaning,
  advice,
});
const usage = (meaning: string, advice: string): ErrorEntry => ({ disposition: 'usage', exitCode: 2, meaning, advice });

export const errorTable = {
  // --- a bug, or something nobody foresaw
  UNEXPECTED: halt(1, 'Something happened that the program does not know.', 'Report it with the log lines around it.'),

  // --- usage
  CONFIG_INVALID: usage('The configuration has problems.', 'Mend every line listed; docs/configuration.md has them all.'),
  USAGE: usage('The command line could not be understood.', 'Run the command with --help.'),

  // --- the outside is at fault
  KAFKA_UNAVAILABLE: retry('Kafka cannot be reached or refuses for now.', 'Check the brokers; the pipeline goes on by itself.'),
  LEDGER_UNAVAILABLE: retry('immudb cannot be reached or is shutting down.', 'Check immudb; the pipeline goes on by itself.'),
  LEDGER_TIMEOUT: retry(
    'immudb did not answer before the deadline; a write may or may not have happened.',
    'Nothing: the pipeline reads the ledger to find out. If it lasts, look for a stalled index in the log of immudb.',
  ),
  LEDGER_OVERLOADED: retry('immudb refuses for load.', 'Nothing at first; if it lasts, lower the rate limits.'),
  LEDGER_SESSION_LOST: retry('The immudb session is gone.', 'Nothing: it is opened anew and the ledger is read again.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorTable;

/** An error whose disposition is decided. `message` says what was being done; `cause` keeps what was met. */
export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get entry(): ErrorEntry {
    return errorTable[this.code];
  }

  get disposition(): Disposition {
    return this.entry.disposition;
  }
}

/** What is not classified is a bug: it halts. */
export const asPipelineError = (error: unknown, doing: string): PipelineError =>
  error instanceof PipelineError
    ? error
    : new PipelineError('UNEXPECTED', `${doing}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
