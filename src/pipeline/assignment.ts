import { admit, openAt, recognise, type Opening, type Position } from '../consumers/coverage.ts';
import type { Batcher } from '../consumers/batcher.ts';
import type { Delivery, Source, TopicBounds } from '../consumers/source.ts';
import { PipelineError } from '../errors.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import type { Sink, Standing } from '../sinks/sink.ts';
import type { Continued } from './draft.ts';
import type { Happenings } from './happenings.ts';
import type { Retrying } from './retrying.ts';

export type AssignmentOptions = {
  readonly source: Source;
  readonly sink: Sink;
  readonly batcher: Batcher;
  readonly retrying: Retrying;
  readonly happenings: Happenings;
  readonly sha256: (record: KafkaRecord) => string;
  /** The cluster on which the ledger's log lives. */
  readonly clusterId: string;
  /** Offsets lost below the log start that are stated without asking a person. */
  readonly maxLoss: bigint;
  /** How long a log may go unrecognised while records of it are stored. */
  readonly recogniseEveryMs: number;
  /** How often a held partition looks whether a person has decided. */
  readonly lookEveryMs: number;
  readonly now: () => number;
};

/** One assigned partition. A lane that is not `lanes.get(partition)` any more is void. */
type Lane = {
  readonly partition: number;
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly isCompacted: boolean;
  /** What the ledger covers; moves when a transaction is written. */
  position: Position;
  /** Where the next delivery continues: runs ahead of `position.next` by what waits or is being written. */
  admitted: bigint;
  /** What has been cut into batches, `last` running ahead of `position.last`. */
  continued: Continued;
  /** When the log was last recognised by its last covered record; null: must be, before anything is stored. */
  recognisedAt: number | null;
  /** Deliveries in a row that brought no progress. */
  misses: number;
};

/** The partitions of the present epoch: each is opened from the ledger before any record of it may be stored. */
export type Assignment = {
  /** Voids every lane and opens these. `settled` resolves when nothing of an older epoch is being written. */
  assign(epoch: number, partitions: readonly number[], settled: Promise<void>): Promise<void>;
  void(): void;
  epoch(): number;
  /** As SourceHandler.deliver, but rejects with what must halt. */
  deliver(delivery: Delivery): Promise<bigint | null>;
  /** What the next part of a partition continues, and that it does. */
  continued(partition: number): Continued;
  advance(partition: number, continued: Continued): void;
  written(standings: readonly Standing[], epoch: number): void;
  /** Nothing more may be stored of any log before it was recognised anew. */
  doubt(): void;
  /** Another writer moved it: take the ledger's word and fetch anew. */
  adopt(standing: Standing): void;
};

const maxMisses = 6;

export const assignment = (options: AssignmentOptions): Assignment => {
  const { source, sink, batcher, retrying, happenings, now } = options;
  const lanes = new Map<number, Promise<Lane | null>>();
  const opened = new Map<number, Lane>();
  let epoch = -1;
  let scope = new AbortController();

  const voidAll = () => {
    scope.abort();
    scope = new AbortController();
    lanes.clear();
    opened.clear();
    batcher.withdraw();
  };

  const openAll = async (partitions: readonly number[], settled: Promise<void>): Promise<void> => {
    const { signal } = scope;
    const laneEpoch = epoch;
    const opening = (async () => {
      await settled;
      const standings = await retrying('reading the marks', () => sink.open(partitions), signal);
      const topic = await retrying('reading the log bounds', () => source.bounds(partitions), signal);
      if (topic.clusterId !== options.clusterId)
        throw replaced(`cluster id is ${topic.clusterId}, not ${options.clusterId}`);
      return { standings, topic };
    })();
    opening.catch(() => undefined);
    const all = partitions.map((partition) => {
      const lane = opening.then(({ standings, topic }) => openLane(partition, laneEpoch, signal, standings, topic));
      keep(partition, lane);
      return lane;
    });
    await Promise.all(all);
  };

  /** Whoever delivers to the partition meets its failure; until then nobody listens. */
  const keep = (partition: number, lane: Promise<Lane | null>) => {
    lane.catch(() => undefined);
    lanes.set(partition, lane);
  };

  const openLane = async (
    partition: number,
    laneEpoch: number,
    signal: AbortSignal,
    standings: ReadonlyMap<number, Standing>,
    topic: TopicBounds,
  ): Promise<Lane | null> => {
    const bounds = topic.partitions.get(partition);
    if (bounds === undefined) throw replaced(`partition ${partition} is not in the topic any more`);
    const opening = openAt(standings.get(partition) ?? null, bounds);
    if (opening.kind === 'replaced') throw replaced(opening.why);
    if (signal.aborted) return null;
    if (opening.kind === 'lost') return await acceptLoss(partition, laneEpoch, signal, topic, opening);
    source.seek(partition, opening.seek);
    const { last } = opening.position;
    const lane: Lane = {
      partition,
      epoch: laneEpoch,
      signal,
      isCompacted: topic.isCompacted,
      position: opening.position,
      admitted: opening.position.next,
      continued: { last, unchecked: last !== null && !opening.recognise },
      recognisedAt: opening.recognise ? null : now(),
      misses: 0,
    };
    opened.set(partition, lane);
    happenings.partitionOpened(partition, opening.position.next);
    return lane;
  };

  /** States a small loss at once; a larger one holds the partition until a person accepted it in the ledger. */
  const acceptLoss = async (
    partition: number,
    laneEpoch: number,
    signal: AbortSignal,
    topic: TopicBounds,
    opening: Opening & { kind: 'lost' },
  ): Promise<Lane | null> => {
    const { gap, position } = opening;
    happenings.recordsLost(partition, gap);
    if (gap.to - gap.from > options.maxLoss) return holdUntilAccepted(partition, laneEpoch, signal);
    opened.set(partition, {
      partition,
      epoch: laneEpoch,
      signal,
      isCompacted: topic.isCompacted,
      position,
      admitted: gap.to,
      continued: { last: position.last, unchecked: true },
      recognisedAt: now(),
      misses: 0,
    });
    const stated = await batcher.add({
      partition,
      epoch: laneEpoch,
      first: gap.from,
      next: gap.to,
      records: [],
      gaps: [gap],
    });
    const lane = opened.get(partition);
    if (stated === null || lane === undefined || signal.aborted) return null;
    source.seek(partition, gap.to);
    return lane;
  };

  const holdUntilAccepted = (partition: number, laneEpoch: number, signal: AbortSignal): null => {
    source.hold(partition);
    happenings.partitionHeld(partition);
    const look = async (): Promise<void> => {
      await pause(options.lookEveryMs, signal);
      if (isOver(signal)) return;
      const standings = await retrying('reading the marks', () => sink.open([partition]), signal);
      const topic = await retrying('reading the log bounds', () => source.bounds([partition]), signal);
      const bounds = topic.partitions.get(partition);
      const isLost = bounds === undefined || openAt(standings.get(partition) ?? null, bounds).kind === 'lost';
      if (isLost) {
        await look();
        return;
      }
      happenings.partitionReleased(partition);
      source.release(partition);
      keep(partition, openLane(partition, laneEpoch, signal, standings, topic));
    };
    look().catch(reportUnless(signal));
    return null;
  };

  const reportUnless = (signal: AbortSignal) => (error: unknown) => {
    if (!signal.aborted) happenings.failed(error);
  };

  /** Looks anew where ledger and Kafka stand; the misses go with it, so that no progress ends in a halt. */
  const reopen = (partition: number, misses = 0): void => {
    const { signal } = scope;
    openAll([partition], Promise.resolve())
      .then(() => {
        const lane = opened.get(partition);
        if (lane !== undefined) lane.misses = misses;
      })
      .catch(reportUnless(signal));
  };

  const miss = (lane: Lane, delivery: Delivery): null => {
    lane.misses += 1;
    if (lane.misses >= maxMisses) {
      const hole = `offsets ${lane.position.next.toString()} to ${delivery.from.toString()}`;
      throw new PipelineError(
        'COVERAGE_HOLE',
        `partition ${lane.partition}: ${hole} are missing and Kafka shows no reason`,
      );
    }
    if (lane.misses % 2 === 0) reopen(lane.partition, lane.misses);
    return null;
  };

  /** True when the delivery may be used: its log is known to be the one that the ledger covers. */
  const isRecognised = (lane: Lane, delivery: Delivery): boolean => {
    const { last } = lane.position;
    if (last === null) return true;
    const found = recognise(last, delivery, options.sha256, lane.isCompacted);
    if (typeof found === 'object') throw replaced(found.replaced);
    if (found === 'elsewhere') {
      if (lane.recognisedAt !== null && now() - lane.recognisedAt < options.recogniseEveryMs) return true;
      lane.recognisedAt = null;
      return false;
    }
    lane.recognisedAt = now();
    if (found === 'gone') lane.continued = { ...lane.continued, unchecked: true };
    return true;
  };

  return {
    assign: async (nextEpoch, partitions, settled) => {
      voidAll();
      epoch = nextEpoch;
      await openAll(partitions, settled);
    },
    void: voidAll,
    epoch: () => epoch,
    deliver: async (delivery) => {
      const { partition } = delivery;
      if (delivery.epoch !== epoch) return null;
      const lane = (await lanes.get(partition)) ?? null;
      if (lane === null || opened.get(partition) !== lane) return null;
      if (!isRecognised(lane, delivery)) {
        const { last } = lane.position;
        if (last !== null) source.seek(partition, last.offset);
        return miss(lane, delivery);
      }
      const first = lane.admitted;
      const admission = admit(first, delivery);
      if (admission.kind === 'above') return miss(lane, delivery);
      lane.misses = 0;
      if (admission.kind === 'covered') return first;
      const { records, gaps } = admission;
      lane.admitted = delivery.next;
      return await batcher.add({ partition, epoch: lane.epoch, first, next: delivery.next, records, gaps });
    },
    continued: (partition) => opened.get(partition)?.continued ?? { last: null, unchecked: false },
    advance: (partition, continued) => {
      const lane = opened.get(partition);
      if (lane !== undefined) lane.continued = continued;
    },
    written: (standings, writtenEpoch) => {
      if (writtenEpoch !== epoch) return;
      for (const { partition, next, last } of standings) {
        const lane = opened.get(partition);
        if (lane !== undefined) lane.position = { next, last };
      }
    },
    doubt: () => {
      for (const lane of opened.values()) lane.recognisedAt = null;
    },
    adopt: ({ partition }) => {
      batcher.withdraw([partition]);
      if (opened.has(partition)) reopen(partition);
    },
  };
};

const replaced = (why: string) =>
  new PipelineError('LOG_REPLACED', `this is not the log that the ledger covers: ${why}`);

const isOver = (signal: AbortSignal): boolean => signal.aborted;

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
