import { setTimeout as sleep } from 'node:timers/promises';
import { asPipelineError } from '../errors.ts';
import type { Readiness } from '../http/readiness.ts';

export type LedgerWatchOptions = {
  /** Opens a lost session anew, and proves that the ledger extends what is trusted. */
  readonly look: () => Promise<void>;
  readonly readiness: Pick<Readiness, 'meet' | 'miss'>;
  /** What may not be retried. */
  readonly failed: (error: Error) => void;
  readonly everyMs: number;
  /** After so long without an answer it is not ready, though the look has not failed yet: nobody may be there. */
  readonly lateMs: number;
};

/**
 * Looks at the ledger again and again, under load and while nothing is written: so that readiness is true when idle,
 * too, and a server that goes back on what it said is found within a second.
 */
export const ledgerWatch = ({ look, readiness, failed, everyMs, lateMs }: LedgerWatchOptions) => {
  const ending = new AbortController();
  const lookOnce = async (): Promise<void> => {
    const late = setTimeout(() => readiness.miss('ledger-ready', `no answer for ${lateMs} ms`), lateMs);
    try {
      await look().finally(() => clearTimeout(late));
      readiness.meet('ledger-ready');
    } catch (cause) {
      if (ending.signal.aborted) return;
      const error = asPipelineError(cause, 'looking at the ledger');
      readiness.miss('ledger-ready', error.code);
      if (error.disposition !== 'retry') failed(error);
    }
  };
  const loop = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await sleep(everyMs, undefined, { signal: ending.signal, ref: false }).then(lookOnce, () => undefined);
    }
  };
  const running = loop();
  return {
    /** Resolves when no look is under way. Idempotent. */
    stop: async (): Promise<void> => {
      ending.abort();
      await running;
    },
  };
};
