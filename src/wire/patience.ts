import { PipelineError } from '../errors.ts';
import type { Config } from '../config.ts';
import type { Readiness } from '../http/readiness.ts';
import type { Retrying } from '../pipeline/retrying.ts';
import { retrying } from '../sinks/with-retry.ts';
import type { Telemetry } from '../telemetry.ts';

/** The one place where a running pipeline waits for what is not there: told, and not ready as long as anybody waits. */
export const patience = (
  { backoffInitialMs, backoffMaxMs }: Config['ledger'],
  telemetry: Pick<Telemetry, 'retrying' | 'recovered'>,
  readiness: Pick<Readiness, 'meet' | 'miss'>,
): Retrying => {
  readiness.meet('not-retrying');
  const waiting = new Set<string>();
  const tries = retrying({
    initialMs: backoffInitialMs,
    maxMs: backoffMaxMs,
    onRetry: (again) => {
      waiting.add(again.doing);
      readiness.miss('not-retrying', `${again.doing}: ${codeOf(again.err)}`);
      telemetry.retrying(again);
    },
    onRecovered: telemetry.recovered,
  });
  // Whatever ends the waiting (success, another error, an assignment that is over), nobody waits any more.
  return async (doing, operation, signal) => {
    try {
      return await tries(doing, operation, signal);
    } finally {
      waiting.delete(doing);
      if (waiting.size === 0) readiness.meet('not-retrying');
    }
  };
};

const codeOf = (error: unknown) => (error instanceof PipelineError ? error.code : String(error));

/** Tries until the start time-out; what is then still missing is the error. */
export const starting = (retry: Retrying, signal: AbortSignal) => {
  return async <T>(doing: string, work: () => Promise<T>): Promise<T> => {
    let met: unknown;
    const noted = async () => {
      try {
        return await work();
      } catch (error) {
        met = error;
        throw error;
      }
    };
    try {
      return await retry(doing, noted, signal);
    } catch (error) {
      throw signal.aborted && met !== undefined ? met : error;
    }
  };
};
