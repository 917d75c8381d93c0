import type { Position } from '../consumers/coverage.ts';
import type { Batcher } from '../consumers/batcher.ts';
import type { Source } from '../consumers/source.ts';
import type { Gap } from '../schemas/record.ts';
import type { Breaker } from './breaker.ts';
import type { Happenings } from './happenings.ts';
import { opening, type Lane, type OpenState } from './lane.ts';
import type { Survey, Surveyed } from './survey.ts';

export type OpeningOptions = {
  readonly source: Pick<Source, 'seek' | 'hold' | 'release'>;
  readonly batcher: Pick<Batcher, 'add'>;
  readonly survey: Survey;
  readonly breaker: Pick<Breaker, 'release' | 'forget'>;
  readonly happenings: Happenings;
  /** Offsets lost below the log start that are stated without asking a person. */
  readonly maxLoss: bigint;
  /** How often a held partition looks whether a person has decided. */
  readonly lookEveryMs: number;
  readonly now: () => number;
  /** Rejects when `signal` aborts. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

export type Openings = {
  /**
   * Opens lanes of one assignment, together, when `ready` resolves. What fails is told to `happenings.failed`, unless
   * the assignment is over. A lane that began another opening meanwhile is left to that.
   */
  open(lanes: readonly Lane[], ready: () => Promise<void>): Promise<void>;
};

type LogAsSurveyed = Pick<OpenState, 'isCompacted' | 'logStart' | 'recognisedAt'>;

/** How lanes come from `opening` to `open` or `held`, and from `held` to `open`. */
export const openings = (options: OpeningOptions): Openings => {
  const { source, batcher, survey, breaker, happenings, now } = options;

  const open = (lane: Lane, state: Omit<OpenState, 'kind'>) => {
    lane.become({ kind: 'open', ...state });
    happenings.partitionOpened(lane.partition, state.position.next);
  };

  /** `doubts`: how many there were before it was surveyed. One that came meanwhile asks for another look. */
  const enter = (lane: Lane, surveyed: Surveyed, doubts: number) => {
    const { opening: found, isCompacted, logStart, held, releasedUntil } = surveyed;
    const recognisedAt = lane.doubts === doubts ? now() : null;
    if (held !== null) {
      hold(lane, held);
      return;
    }
    if (releasedUntil === null) breaker.forget([lane.partition]);
    else breaker.release(lane.partition, releasedUntil);
    if (found.kind === 'lost') {
      lose(lane, found.position, found.gap, { isCompacted, logStart, recognisedAt });
      return;
    }
    const { position, recognise } = found;
    const { last } = position;
    source.seek(lane.partition, found.seek);
    open(lane, {
      ...{ isCompacted, logStart, position, admitted: position.next },
      continued: { last, unchecked: last !== null && !recognise },
      recognisedAt: recognise ? null : recognisedAt,
    });
  };

  const lose = (lane: Lane, position: Position, gap: Gap, log: LogAsSurveyed) => {
    happenings.recordsLost(lane.partition, gap);
    if (needsPerson(gap)) hold(lane, null);
    else stateLoss(lane, position, gap, log);
  };

  const needsPerson = ({ from, to }: Gap): boolean => to - from > options.maxLoss;

  /** The gap is queued as if it had been delivered; what is read after it follows it into the ledger. */
  const stateLoss = (lane: Lane, position: Position, gap: Gap, log: LogAsSurveyed) => {
    const { partition, epoch, over } = lane;
    source.seek(partition, gap.to);
    open(lane, {
      ...{ ...log, position, admitted: gap.to },
      continued: { last: position.last, unchecked: true },
    });
    void batcher.add({ partition, epoch, over, first: gap.from, next: gap.to, records: [], gaps: [gap] });
  };

  /** `tripped`: why the breaker holds it; null: records were lost. */
  const hold = (lane: Lane, tripped: string | null) => {
    lane.become({ kind: 'held' });
    source.hold(lane.partition);
    happenings.partitionHeld(lane.partition, tripped);
    untilAccepted(lane).catch(failUnlessOver(lane.over));
  };

  const untilAccepted = async (lane: Lane): Promise<void> => {
    const { partition, over } = lane;
    for (;;) {
      await options.wait(options.lookEveryMs, over);
      const { doubts } = lane;
      const surveyed = (await survey([partition], over)).get(partition);
      if (lane.state().kind !== 'held') return;
      if (surveyed?.held !== null) continue;
      // What was being written when it was held may have left less than a person must decide.
      if (surveyed.opening.kind === 'lost' && needsPerson(surveyed.opening.gap)) continue;
      happenings.partitionReleased(partition);
      source.release(partition);
      enter(lane, surveyed, doubts);
      return;
    }
  };

  const failUnlessOver = (over: AbortSignal) => (error: unknown) => {
    if (!over.aborted) happenings.failed(error);
  };

  return {
    open: async (lanes, ready) => {
      const [first] = lanes;
      if (first === undefined) return;
      const begun = lanes.map((lane) => ({ lane, state: opening() }));
      for (const { lane, state } of begun) lane.become(state);
      try {
        await ready();
        const partitions = lanes.map(({ partition }) => partition);
        const doubts = lanes.map((lane) => lane.doubts);
        const surveyed = await survey(partitions, first.over);
        for (const [index, { lane, state }] of begun.entries()) {
          const found = surveyed.get(lane.partition);
          if (found !== undefined && lane.state() === state) enter(lane, found, doubts[index] ?? 0);
        }
      } catch (error) {
        failUnlessOver(first.over)(error);
      }
    },
  };
};
