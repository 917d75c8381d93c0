import { status as grpc, type ServiceError } from '@grpc/grpc-js';
import { PipelineError, type ErrorCode } from '../../errors.ts';

/**
 * What a failed call did to the ledger:
 * - `not-written`: nothing, for sure;
 * - `refused`: nothing, because a precondition does not hold;
 * - `unknown`: perhaps all that it asked for. Read the ledger before doing it again.
 */
export type WriteOutcome = 'not-written' | 'refused' | 'unknown';

export type ErrorRow = {
  readonly status: number;
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly outcome: WriteOutcome;
};

/** A call to immudb that failed, classified. `status` is the gRPC status; null: it failed before or after the wire. */
export class LedgerError extends PipelineError {
  readonly outcome: WriteOutcome;
  readonly status: number | null;

  constructor(code: ErrorCode, message: string, details: { outcome: WriteOutcome; status?: number; cause?: unknown }) {
    super(code, message, { cause: details.cause });
    this.outcome = details.outcome;
    this.status = details.status ?? null;
  }
}

const { UNKNOWN, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE } = grpc;

const row = (status: number, pattern: RegExp, code: ErrorCode, outcome: WriteOutcome = 'not-written'): ErrorRow => ({
  status,
  pattern,
  code,
  outcome,
});

/**
 * Every error of immudb 1.11 that was met, by status and message, as most of them are a bare UNKNOWN. The first row
 * that fits decides; what fits none is LEDGER_UNKNOWN_ERROR with unknown outcome.
 */
export const errorRows: readonly ErrorRow[] = [
  row(grpc.FAILED_PRECONDITION, /^precondition failed/, 'LEDGER_REFUSED_PRECONDITION', 'refused'),

  // The request is wrong, and will be however often it is sent.
  row(INVALID_ARGUMENT, /can not be changed after database creation/, 'LEDGER_SETTINGS'),
  row(UNKNOWN, /^invalid precondition/, 'LEDGER_REQUEST_REFUSED'),
  row(INVALID_ARGUMENT, /^duplicated keys are not supported/, 'LEDGER_REQUEST_REFUSED'),
  row(UNKNOWN, /^max number of entries per tx exceeded/, 'LEDGER_REQUEST_REFUSED'),
  row(UNKNOWN, /^no entries provided/, 'LEDGER_REQUEST_REFUSED'),
  row(UNKNOWN, /^max (key|value) length exceeded/, 'LEDGER_REQUEST_REFUSED'),
  row(INVALID_ARGUMENT, /^illegal arguments/, 'LEDGER_REQUEST_REFUSED'),
  row(UNKNOWN, /^illegal arguments: empty key/, 'LEDGER_REQUEST_REFUSED'),
  row(UNKNOWN, /^result size limit exceeded/, 'LEDGER_REQUEST_REFUSED'),
  row(RESOURCE_EXHAUSTED, /^grpc: received message larger than max/, 'LEDGER_REQUEST_REFUSED'),
  row(RESOURCE_EXHAUSTED, /^Attempted to send message with a size larger than/, 'LEDGER_REQUEST_REFUSED'),
  row(RESOURCE_EXHAUSTED, /^Received message (larger than|that decompresses)/, 'LEDGER_ANSWER_TOO_LARGE', 'unknown'),
  row(RESOURCE_EXHAUSTED, /(?:)/, 'LEDGER_OVERLOADED', 'unknown'),

  // What was asked for is not there.
  row(UNKNOWN, /^tbtree: key not found/, 'LEDGER_NOT_FOUND'),
  row(UNKNOWN, /^tx not found/, 'LEDGER_NOT_FOUND'),

  // It knows less than it did.
  row(UNKNOWN, /^illegal arguments: SinceTx must not be greater/, 'LEDGER_ROLLED_BACK'),
  row(UNKNOWN, /^illegal state/, 'LEDGER_ROLLED_BACK'),
  row(INVALID_ARGUMENT, /^illegal state/, 'LEDGER_ROLLED_BACK'),

  // Sessions and rights.
  row(UNKNOWN, /^(not logged in|no sessionID provided)/, 'LEDGER_SESSION_LOST'),
  row(grpc.PERMISSION_DENIED, /^session not found/, 'LEDGER_SESSION_LOST'),
  row(INTERNAL, /max sessions number reached/, 'LEDGER_OVERLOADED'),
  row(UNKNOWN, /^invalid user name or password/, 'LEDGER_CREDENTIALS'),
  row(grpc.PERMISSION_DENIED, /does not have permission on this database/, 'LEDGER_PERMISSION'),
  row(INTERNAL, /^permission denied/, 'LEDGER_PERMISSION'),
  row(UNKNOWN, /^loggedin user does not have permissions/, 'LEDGER_PERMISSION'),

  // Databases.
  row(UNKNOWN, /^database does not exist/, 'LEDGER_DATABASE_MISSING'),
  row(UNKNOWN, /^database already exists/, 'LEDGER_SETTINGS'),
  row(UNKNOWN, /in database name|^database name length/, 'LEDGER_SETTINGS'),
  row(INTERNAL, /^database is reserved/, 'LEDGER_SETTINGS'),

  // Its disk.
  row(UNKNOWN, /^(tx )?data is corrupted/, 'LEDGER_CORRUPTED', 'unknown'),
  row(UNKNOWN, /^corrupted (transaction log|index)/, 'LEDGER_CORRUPTED', 'unknown'),
  row(UNKNOWN, /^unable to get state/, 'LEDGER_CORRUPTED', 'unknown'),

  // The way to it.
  row(grpc.DEADLINE_EXCEEDED, /(?:)/, 'LEDGER_TIMEOUT', 'unknown'),
  row(grpc.CANCELLED, /(?:)/, 'LEDGER_TIMEOUT', 'unknown'),
  row(UNAVAILABLE, /(?:)/, 'LEDGER_UNAVAILABLE', 'unknown'),
];

const unknownError = { code: 'LEDGER_UNKNOWN_ERROR', outcome: 'unknown' } as const;

export const classify = (status: number, message: string): Pick<ErrorRow, 'code' | 'outcome'> =>
  errorRows.find((each) => each.status === status && each.pattern.test(message)) ?? unknownError;

/** `doing` begins the message: what was asked of which server. */
export const ledgerError = (error: unknown, doing: string): LedgerError => {
  if (error instanceof LedgerError) return error;
  if (!isServiceError(error))
    return new LedgerError('LEDGER_UNKNOWN_ERROR', `${doing}: ${String(error)}`, { outcome: 'unknown', cause: error });
  const { code: status, details } = error;
  const { code, outcome } = classify(status, details);
  return new LedgerError(code, `${doing}: ${details} (gRPC status ${status})`, { outcome, status, cause: error });
};

const isServiceError = (error: unknown): error is ServiceError =>
  error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;

/** What became of a write that ended with `error`; `unknown` for whatever is no answer of immudb. */
export const outcomeOf = (error: unknown): WriteOutcome => (error instanceof LedgerError ? error.outcome : 'unknown');
