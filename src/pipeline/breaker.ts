/**
 * When most of what comes is at fault, the fault is not in the records: a bad deploy, another topic, a decoder that is
 * missing. Then dead-lettering would bury the events of a whole service, so the partition is held and a person asked.
 */
export type BreakerOptions = {
  /** Records that are looked at together. */
  readonly window: number;
  /** More dead ones among them, in percent, trip it. */
  readonly maxSharePercent: number;
  /** So many dead ones in a row trip it. */
  readonly maxRun: number;
};

export type Breaker = {
  /**
   * Judges the next records of a partition, in order (true: would be dead-lettered), beginning at `first`. Why it trips,
   * or null. The same `first` again replaces what was said of it and of all that came after, as when a batch is
   * composed anew.
   */
  weigh(
    partition: number,
    first: bigint,
    records: readonly { readonly offset: bigint; readonly isDead: boolean }[],
  ): string | null;
  /** A person let the partition go on: what lies below `until` passes whatever it is. */
  release(partition: number, until: bigint): void;
  /** Begins anew: of these partitions nothing was seen. */
  forget(partitions?: readonly number[]): void;
};

/** How a partition stands after some record. */
type Standing = { readonly run: number; readonly seen: number; readonly dead: number };

type Lane = {
  /** Before each part that may be weighed again; the newest last. */
  before: { readonly first: bigint; readonly standing: Standing }[];
  now: Standing;
  releasedUntil: bigint;
};

const nothing: Standing = { run: 0, seen: 0, dead: 0 };
/** One part is being written, one composed ahead of it. */
const maxParts = 4;

export const breaker = ({ window, maxSharePercent, maxRun }: BreakerOptions): Breaker => {
  const lanes = new Map<number, Lane>();
  const maxDead = Math.floor((window * maxSharePercent) / 100);

  const laneOf = (partition: number): Lane => {
    const lane = lanes.get(partition) ?? { before: [], now: nothing, releasedUntil: 0n };
    lanes.set(partition, lane);
    return lane;
  };

  const next = ({ run, seen, dead }: Standing, isDead: boolean): Standing => {
    const isNewWindow = seen === window;
    return {
      run: isDead ? run + 1 : 0,
      seen: isNewWindow ? 1 : seen + 1,
      dead: (isNewWindow ? 0 : dead) + Number(isDead),
    };
  };

  const whyOf = ({ run, seen, dead }: Standing): string | null => {
    if (run > maxRun) return `${run} records in a row would be dead letters (breaker.maxRun ${maxRun})`;
    if (dead <= maxDead) return null;
    return `${dead} of ${seen} records would be dead letters (breaker.maxSharePercent ${maxSharePercent} of ${window})`;
  };

  /** Back to where the lane stood before this part, if that is known. */
  const rewind = (lane: Lane, first: bigint) => {
    const at = lane.before.findIndex((part) => part.first === first);
    if (at !== -1) lane.now = lane.before[at]?.standing ?? nothing;
    lane.before = (at === -1 ? lane.before : lane.before.slice(0, at)).slice(1 - maxParts);
    lane.before.push({ first, standing: lane.now });
  };

  return {
    weigh: (partition, first, records) => {
      const lane = laneOf(partition);
      rewind(lane, first);
      for (const { offset, isDead } of records) {
        lane.now = offset < lane.releasedUntil ? nothing : next(lane.now, isDead);
        const why = whyOf(lane.now);
        if (why !== null) return `${why}, the last at offset ${offset.toString()}`;
      }
      return null;
    },
    release: (partition, until) => {
      lanes.set(partition, { before: [], now: nothing, releasedUntil: until });
    },
    forget: (partitions) => {
      for (const partition of partitions ?? [...lanes.keys()]) {
        const { releasedUntil } = laneOf(partition);
        lanes.set(partition, { before: [], now: nothing, releasedUntil });
      }
    },
  };
};
