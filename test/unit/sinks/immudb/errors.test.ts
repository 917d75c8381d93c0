import { describe, expect, test } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { errorTable, PipelineError } from '../../../../src/errors.ts';
import { classify, errorRows, ledgerError, LedgerError, outcomeOf } from '../../../../src/sinks/immudb/errors.ts';

/** As measured on immudb 1.11.1 and grpc-js 1.14. */
const met: [number, string, string, string][] = [
  [9, 'precondition failed: KeyMustNotExist', 'LEDGER_REFUSED_PRECONDITION', 'refused'],
  [9, 'precondition failed: KeyNotModifiedAfterTxID', 'LEDGER_REFUSED_PRECONDITION', 'refused'],
  [2, 'invalid precondition: too many preconditions', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [2, 'invalid precondition: null key', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [3, 'duplicated keys are not supported in single batch transaction', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [2, 'max number of entries per tx exceeded', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [2, 'no entries provided', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [3, 'illegal arguments', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [2, 'illegal arguments: empty key', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [2, 'max key length exceeded', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [8, 'grpc: received message larger than max (33554471 vs. 33554432)', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [8, 'Attempted to send message with a size larger than 33554432', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [8, 'Received message larger than max (5242950 vs 4194304)', 'LEDGER_ANSWER_TOO_LARGE', 'unknown'],
  [8, 'too many requests', 'LEDGER_OVERLOADED', 'unknown'],
  [2, 'tbtree: key not found', 'LEDGER_NOT_FOUND', 'not-written'],
  [2, 'tbtree: key not found: expired entry', 'LEDGER_NOT_FOUND', 'not-written'],
  [2, 'tx not found', 'LEDGER_NOT_FOUND', 'not-written'],
  [
    2,
    'illegal arguments: SinceTx must not be greater than the current transaction ID',
    'LEDGER_ROLLED_BACK',
    'not-written',
  ],
  [2, 'illegal state: latest txID=40 is lower than specified as initial tx=60', 'LEDGER_ROLLED_BACK', 'not-written'],
  [3, 'illegal state', 'LEDGER_ROLLED_BACK', 'not-written'],
  [2, 'result size limit exceeded: 2501', 'LEDGER_REQUEST_REFUSED', 'not-written'],
  [2, 'not logged in', 'LEDGER_SESSION_LOST', 'not-written'],
  [2, 'no sessionID provided', 'LEDGER_SESSION_LOST', 'not-written'],
  [7, 'session not found', 'LEDGER_SESSION_LOST', 'not-written'],
  [13, 'can not create new session: max sessions number reached', 'LEDGER_OVERLOADED', 'not-written'],
  [2, 'invalid user name or password', 'LEDGER_CREDENTIALS', 'not-written'],
  [2, 'database does not exist', 'LEDGER_DATABASE_MISSING', 'not-written'],
  [7, 'Logged in user does not have permission on this database', 'LEDGER_PERMISSION', 'not-written'],
  [13, 'permission denied', 'LEDGER_PERMISSION', 'not-written'],
  [2, 'loggedin user does not have permissions for this operation', 'LEDGER_PERMISSION', 'not-written'],
  [2, 'database already exists', 'LEDGER_SETTINGS', 'not-written'],
  [2, 'punctuation marks and symbols are not allowed in database name', 'LEDGER_SETTINGS', 'not-written'],
  [2, 'unrecognized character in database name', 'LEDGER_SETTINGS', 'not-written'],
  [2, 'database name length outside of limits', 'LEDGER_SETTINGS', 'not-written'],
  [
    3,
    "rpc error: code = InvalidArgument desc = illegal arguments: max key length can not be changed after database creation ('abc')",
    'LEDGER_SETTINGS',
    'not-written',
  ],
  [13, 'database is reserved', 'LEDGER_SETTINGS', 'not-written'],
  [2, 'data is corrupted: value length or digest mismatch', 'LEDGER_CORRUPTED', 'unknown'],
  [2, 'tx data is corrupted: ALH mismatch at tx 20', 'LEDGER_CORRUPTED', 'unknown'],
  [2, 'corrupted transaction log: could not read', 'LEDGER_CORRUPTED', 'unknown'],
  [2, 'corrupted index: x', 'LEDGER_CORRUPTED', 'unknown'],
  [2, 'unable to get state', 'LEDGER_CORRUPTED', 'unknown'],
  [4, 'Deadline exceeded after 0.1s', 'LEDGER_TIMEOUT', 'unknown'],
  [1, 'Cancelled on client', 'LEDGER_TIMEOUT', 'unknown'],
  [14, 'Connection dropped', 'LEDGER_UNAVAILABLE', 'unknown'],
  [14, 'No connection established. Last error: connect ECONNREFUSED', 'LEDGER_UNAVAILABLE', 'unknown'],
  [2, 'something new', 'LEDGER_UNKNOWN_ERROR', 'unknown'],
  [13, 'something new', 'LEDGER_UNKNOWN_ERROR', 'unknown'],
  [0, 'something new', 'LEDGER_UNKNOWN_ERROR', 'unknown'],
  [3, 'precondition failed: KeyMustNotExist', 'LEDGER_UNKNOWN_ERROR', 'unknown'],
];

const serviceError = (code: number, details: string) =>
  Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: new Metadata() });

describe('errors of immudb', () => {
  test.each(met)('%i %s is %s, %s', (status, text, code, outcome) => {
    expect(classify(status, text)).toMatchObject({ code, outcome });
  });

  test('each row decides at least one of them', () => {
    const decided = new Set(
      met.map(([status, text]) => errorRows.find((row) => row.status === status && row.pattern.test(text))),
    );
    expect(errorRows.filter((row) => !decided.has(row))).toEqual([]);
  });

  test('what may have been written is never called written or not', () => {
    const passing = errorRows.filter(({ status }) => [1, 4, 14].includes(status));
    expect(passing.map(({ outcome }) => outcome)).toEqual(['unknown', 'unknown', 'unknown']);
    for (const { code } of passing) expect(errorTable[code].disposition).toBe('retry');
  });

  test('an error says what was being done, and keeps its cause', () => {
    const cause = serviceError(7, 'session not found');
    const error = ledgerError(cause, 'Set on immudb here:3322/db');
    expect(error).toBeInstanceOf(PipelineError);
    expect(error).toMatchObject({ code: 'LEDGER_SESSION_LOST', status: 7, disposition: 'retry', cause });
    expect(error.message).toBe('Set on immudb here:3322/db: session not found (gRPC status 7)');
    expect(ledgerError(error, 'again')).toBe(error);
  });

  test('what is no gRPC error halts', () => {
    expect(ledgerError(new TypeError('x'), 'Set')).toMatchObject({
      code: 'LEDGER_UNKNOWN_ERROR',
      disposition: 'halt',
      outcome: 'unknown',
    });
  });

  test('the outcome of what is no answer of immudb is unknown', () => {
    expect(outcomeOf(new Error('x'))).toBe('unknown');
    expect(outcomeOf(new LedgerError('LEDGER_TIMEOUT', 'x', { outcome: 'not-written' }))).toBe('not-written');
  });

  test('those that a person must tell apart have exit codes of their own', () => {
    const codes = [...new Set(errorRows.map(({ code }) => code))].map((code) => errorTable[code]);
    const exits = codes.filter(({ disposition }) => disposition === 'halt').map(({ exitCode }) => exitCode);
    expect(new Set(exits).size).toBe(exits.length);
  });
});
