import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import type { ChainState } from '../../proofs/chain.ts';
import { readTrustedLedger, writeTrustedLedger, type TrustedLedger } from './trusted-state-file.ts';

/**
 * How far a ledger is trusted, in memory, and behind it in a file that one process owns. The file may be older than the
 * memory by up to a second: after a crash the ledger is then proven to extend what the file says, so nothing is lost.
 */
export type TrustedState = {
  /** Who the ledger is; its `chain` is as of the opening. */
  readonly ledger: TrustedLedger;
  current(): ChainState;
  /**
   * Trusts `chain`, which must have been proven or followed from what was trusted. An older one changes nothing. Throws
   * LEDGER_PROOF_FAILED for another hash of the same transaction.
   */
  remember(chain: ChainState): void;
  /** Resolves when the file holds what was remembered before the call. Rejects with TRUSTED_STATE_UNAVAILABLE (retry). */
  flush(): Promise<void>;
  /** Flushes, and stops flushing by itself. Idempotent. Rejects as `flush` does. */
  close(): Promise<void>;
};

export type TrustedStateOptions = {
  /** Longest time for which the file lags. Default 1000. */
  readonly flushEveryMs?: number;
  /** Told when a flush by itself failed; it is tried again. */
  readonly onFlushFailed?: (error: unknown) => void;
  /** Runs `run` once after `ms` and returns a function that prevents it. The default does not keep the process alive. */
  readonly schedule?: (run: () => void, ms: number) => () => void;
};

/**
 * The trusted state in this file, null if there is none. Rejects with TRUSTED_STATE_DAMAGED (halt) or
 * TRUSTED_STATE_UNAVAILABLE (retry).
 */
export const openTrustedState = async (
  path: string,
  options: TrustedStateOptions = {},
): Promise<TrustedState | null> => {
  const ledger = await readTrustedLedger(path);
  return ledger === null ? null : trustedStateOf(path, ledger, options);
};

/** Makes the file. Rejects with TRUSTED_STATE_EXISTS (usage) if there is one: what is trusted is never replaced. */
export const createTrustedState = async (
  path: string,
  ledger: TrustedLedger,
  options: TrustedStateOptions = {},
): Promise<TrustedState> => {
  if ((await readTrustedLedger(path)) !== null)
    throw new PipelineError('TRUSTED_STATE_EXISTS', `${path} holds a trusted state already`);
  await writeTrustedLedger(path, ledger);
  return trustedStateOf(path, ledger, options);
};

const afterTimeout = (run: () => void, ms: number): (() => void) => {
  const timer = setTimeout(run, ms).unref();
  return () => clearTimeout(timer);
};

const trustedStateOf = (path: string, ledger: TrustedLedger, options: TrustedStateOptions): TrustedState => {
  const { flushEveryMs = 1000, onFlushFailed, schedule = afterTimeout } = options;
  let chain = ledger.chain;
  let written = chain;
  let lastWrite = Promise.resolve();
  let cancel: (() => void) | null = null;
  let isClosed = false;

  const write = async (): Promise<void> => {
    const due = chain;
    if (due === written) return;
    await writeTrustedLedger(path, { ...ledger, chain: due });
    written = due;
  };
  // One write after the other: an older state must never be renamed over a newer one.
  const flush = (): Promise<void> => (lastWrite = lastWrite.catch(() => undefined).then(write));
  const flushSoon = (): void => {
    if (isClosed) return;
    cancel ??= schedule(() => {
      cancel = null;
      flush().catch((error: unknown) => {
        onFlushFailed?.(error);
        flushSoon();
      });
    }, flushEveryMs);
  };

  return {
    ledger,
    current: () => chain,
    remember(given) {
      if (isClosed) throw new PipelineError('UNEXPECTED', `${path}: remembering after the trusted state was closed`);
      if (!isNews(given, chain)) return;
      chain = given;
      flushSoon();
    },
    flush,
    close() {
      isClosed = true;
      cancel?.();
      cancel = null;
      return flush();
    },
  };
};

/** Of two states of one transaction the one with the frontier says more. */
const isNews = (given: ChainState, known: ChainState): boolean => {
  if (given.id !== known.id) return given.id > known.id;
  if (equalBytes(given.alh, known.alh)) return known.frontier === null && given.frontier !== null;
  const message = `transaction ${given.id.toString()} has another hash than the one that is trusted`;
  throw new PipelineError('LEDGER_PROOF_FAILED', message);
};
