import { openAt, type Opening } from '../consumers/coverage.ts';
import type { Source } from '../consumers/source.ts';
import { PipelineError } from '../errors.ts';
import type { Sink, Standing } from '../sinks/sink.ts';
import type { Retrying } from './retrying.ts';

export type SurveyOptions = {
  readonly source: Pick<Source, 'bounds'>;
  readonly sink: Pick<Sink, 'open'>;
  readonly retrying: Retrying;
  /** The cluster on which the ledger's log lives. */
  readonly clusterId: string;
};

/** Where a partition can be read on, if it can. */
export type Surveyed = {
  readonly opening: Exclude<Opening, { kind: 'replaced' }>;
  readonly isCompacted: boolean;
  readonly logStart: bigint;
  /** Why the breaker holds it; null: it does not. */
  readonly held: string | null;
  /** A person released it: what lies below this passes. */
  readonly releasedUntil: bigint | null;
};

/** Rejects with LOG_REPLACED when Kafka's log is not the one of the ledger; waits no longer than `over` lets it. */
export type Survey = (partitions: readonly number[], over: AbortSignal) => Promise<ReadonlyMap<number, Surveyed>>;

/** Reads where the ledger stands, then where the logs begin and end, and says how the one continues the other. */
export const surveying = ({ source, sink, retrying, clusterId }: SurveyOptions): Survey => {
  return async (partitions, over) => {
    const standings = await retrying('reading the marks', () => sink.open(partitions), over);
    const topic = await retrying('reading the log bounds', () => source.bounds(partitions), over);
    if (topic.clusterId !== clusterId) throw replaced(`cluster id is ${topic.clusterId}, not ${clusterId}`);
    const surveyed = partitions.map((partition): [number, Surveyed] => {
      const bounds = topic.partitions.get(partition);
      if (bounds === undefined) throw replaced(`partition ${partition} is not in the topic any more`);
      const opening = openAt(standings.get(partition) ?? null, bounds);
      if (opening.kind === 'replaced') throw replaced(opening.why);
      return [
        partition,
        {
          ...{ opening, isCompacted: topic.isCompacted, logStart: bounds.start },
          ...breakerOf(standings.get(partition), bounds.end),
        },
      ];
    });
    return new Map(surveyed);
  };
};

const breakerOf = (standing: Standing | undefined, end: bigint): Pick<Surveyed, 'held' | 'releasedUntil'> => {
  const { breaker } = standing ?? {};
  if (breaker === undefined) return { held: null, releasedUntil: null };
  return breaker.isHolding ? { held: breaker.why, releasedUntil: null } : { held: null, releasedUntil: end };
};

export const replaced = (why: string): PipelineError =>
  new PipelineError('LOG_REPLACED', `this is not the log that the ledger covers: ${why}`);
