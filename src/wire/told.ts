import type { Source } from '../consumers/source.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';
import type { Sink } from '../sinks/sink.ts';
import type { Telemetry } from '../telemetry.ts';

/** The ports, told of to telemetry: what passes through them changes in nothing. */

export const toldSource = (source: Source, telemetry: Pick<Telemetry, 'committed'>): Source => ({
  ...source,
  commit: async (offsets, epoch) => {
    const isTaken = await source.commit(offsets, epoch);
    if (isTaken) telemetry.committed(offsets.length);
    return isTaken;
  },
});

export const toldSink = (sink: Sink, telemetry: Pick<Telemetry, 'writesInFlight' | 'writeRefused'>): Sink => {
  let inFlight = 0;
  return {
    ...sink,
    commit: async (composed) => {
      telemetry.writesInFlight(++inFlight);
      try {
        const outcome = await sink.commit(composed);
        if (outcome.kind !== 'written') telemetry.writeRefused(outcome.kind);
        return outcome;
      } finally {
        telemetry.writesInFlight(--inFlight);
      }
    },
  };
};

export const toldLedger = (ledger: Ledger, telemetry: Pick<Telemetry, 'sessionReopened'>): Ledger => ({
  ...ledger,
  ready: async () => {
    const isNew = await ledger.ready();
    if (isNew) telemetry.sessionReopened();
    return isNew;
  },
});
