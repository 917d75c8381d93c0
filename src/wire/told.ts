import type { Source } from '../consumers/source.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';
import type { Batch, Sink } from '../sinks/sink.ts';
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

export const toldSink = (
  sink: Sink,
  telemetry: Pick<Telemetry, 'writesInFlight' | 'writeRefused' | 'awaitsCheckpoint'>,
): Sink => {
  let inFlight = 0;
  return {
    ...sink,
    commit: async (composed) => {
      telemetry.writesInFlight(++inFlight);
      try {
        const outcome = await sink.commit(composed);
        if (outcome.kind !== 'written') telemetry.writeRefused(outcome.kind);
        else telemetry.awaitsCheckpoint(outcome.tx, oldestOf(composed.batch));
        return outcome;
      } finally {
        telemetry.writesInFlight(--inFlight);
      }
    },
  };
};

/** The timestamp of the oldest record; now, for a batch that has none. */
const oldestOf = ({ spans }: Batch): number => {
  let oldest = Date.now();
  for (const { outcomes } of spans)
    for (const { record } of outcomes) oldest = Math.min(oldest, Number(record.timestamp));
  return oldest;
};

export const toldLedger = (ledger: Ledger, telemetry: Pick<Telemetry, 'sessionReopened' | 'stateProven'>): Ledger => ({
  ...ledger,
  advance: async () => {
    const proven = await ledger.advance();
    telemetry.stateProven(proven.id);
    return proven;
  },
  ready: async () => {
    const isNew = await ledger.ready();
    if (isNew) telemetry.sessionReopened();
    return isNew;
  },
});
