import { openAt, type Opening, type Position } from '../consumers/coverage.ts';
import type { Source, TopicBounds } from '../consumers/source.ts';
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

type Continuing = Exclude<Opening, { kind: 'replaced' }>;

/** Where a partition can be read on, if it can. */
export type Surveyed = {
  readonly opening: Continuing;
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
    requireCluster(topic, clusterId);
    const surveyed = partitions.map((partition): [number, Surveyed] => {
      const standing = standings.get(partition);
      const { bounds, opening } = continuing(partition, standing ?? null, topic);
      const { isCompacted } = topic;
      return [partition, { opening, isCompacted, logStart: bounds.start, ...breakerOf(standing, bounds.end) }];
    });
    return new Map(surveyed);
  };
};

/**
 * Throws LOG_REPLACED when anything in these bounds says that this is not the log in which the ledger covers these
 * positions: its cluster, a partition that is gone, or one that ends below its coverage.
 */
export const requireSameLog = (
  positions: ReadonlyMap<number, Position>,
  topic: TopicBounds,
  clusterId: string,
): void => {
  requireCluster(topic, clusterId);
  for (const [partition, position] of positions) continuing(partition, position, topic);
};

const requireCluster = (topic: TopicBounds, clusterId: string) => {
  if (topic.clusterId !== clusterId) throw replaced(`cluster id is ${topic.clusterId}, not ${clusterId}`);
};

const continuing = (partition: number, position: Position | null, topic: TopicBounds) => {
  const bounds = topic.partitions.get(partition);
  if (bounds === undefined) throw replaced(`partition ${partition} is not in the topic any more`);
  const opening = openAt(position, bounds);
  if (opening.kind === 'replaced') throw replaced(`partition ${partition}: ${opening.why}`);
  return { bounds, opening };
};

const breakerOf = (standing: Standing | undefined, end: bigint): Pick<Surveyed, 'held' | 'releasedUntil'> => {
  const { breaker } = standing ?? {};
  if (breaker === undefined) return { held: null, releasedUntil: null };
  return breaker.isHolding ? { held: breaker.why, releasedUntil: null } : { held: null, releasedUntil: end };
};

export const replaced = (why: string): PipelineError =>
  new PipelineError('LOG_REPLACED', `this is not the log that the ledger covers: ${why}`);
