import type { Gap } from '../schemas/record.ts';
import type { Composed } from '../sinks/sink.ts';
import type { BatchWritten } from './happenings.ts';

const addDoubt = (doubtful: Map<string, { count: number; doubt: string }>, type: string, doubt: string): void => {
  doubtful.set(type, { count: (doubtful.get(type)?.count ?? 0) + 1, doubt });
};

/** What a written transaction held, counted once for telemetry. */
export const summaryOf = (composed: Composed, tx: bigint, maxEvents: number, durationMs: number): BatchWritten => {
  const dead = new Map<string, number>();
  const doubtful = new Map<string, { count: number; doubt: string }>();
  const gaps: Gap[] = [];
  let stored = 0;
  let duplicates = 0;
  for (const span of composed.batch.spans) {
    gaps.push(...span.gaps);
    for (const outcome of span.outcomes) {
      if (outcome.kind === 'stored') {
        stored += 1;
        if (outcome.doubt !== undefined) addDoubt(doubtful, outcome.facts.eventType, outcome.doubt);
      } else if (outcome.kind === 'duplicate') duplicates += 1;
      else dead.set(outcome.code, (dead.get(outcome.code) ?? 0) + 1);
    }
  }
  let buried = 0;
  for (const count of dead.values()) buried += count;
  return {
    tx,
    spans: composed.batch.spans,
    stored,
    duplicates,
    doubtful,
    dead,
    gaps,
    entries: composed.entries,
    bytes: composed.bytes,
    fill: (stored + duplicates + buried) / maxEvents,
    durationMs,
  };
};
