import type { Ledger } from '../sinks/immudb/ledger.ts';
import type { Retrying } from '../sinks/with-retry.ts';
import { never } from './never.ts';

/**
 * The same ledger, but what the desk reads is read again after a time-out or a lost session, as long as `retry` says: to
 * look at a million letters takes minutes, and one slow answer must not end it. Writes are as they were.
 */
export const patientReads = (ledger: Ledger, retry: Retrying): Ledger => {
  const { client, reads } = ledger;
  const again = <T>(read: () => Promise<T>): Promise<T> => {
    const ready = async () => {
      await ledger.ready();
      return await read();
    };
    return retry('reading dead letters', ready, never);
  };
  return {
    ...ledger,
    client: {
      ...client,
      get: (...asked) => again(() => client.get(...asked)),
      getAll: (...asked) => again(() => client.getAll(...asked)),
      scan: (...asked) => again(() => client.scan(...asked)),
      history: (...asked) => again(() => client.history(...asked)),
    },
    reads: {
      verifiedTx: (id) => again(() => reads.verifiedTx(id)),
      verifyEntry: (entry) => again(() => reads.verifyEntry(entry)),
    },
  };
};
