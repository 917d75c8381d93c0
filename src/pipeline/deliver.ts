import type { Batcher } from '../consumers/batcher.ts';
import type { Source, SourceHandler } from '../consumers/source.ts';
import type { DeadLetters } from '../sinks/dead-letters.ts';
import type { Batch, Sink } from '../sinks/sink.ts';
import type { Assignment } from './assignment.ts';
import type { Breaker } from './breaker.ts';
import { draftBatch, type Breathe, type Draft, type Inspect } from './draft.ts';
import type { Happenings } from './happenings.ts';
import { preparing, storedOf, type Ahead, type Prepared } from './preparing.ts';
import type { Retrying } from './retrying.ts';
import { unlessOver, writing } from './writing.ts';

export type PipelineOptions = {
  readonly source: Source;
  readonly sink: Sink;
  readonly deadLetters: DeadLetters;
  readonly batcher: Batcher;
  readonly assignment: Assignment;
  readonly retrying: Retrying;
  readonly happenings: Happenings;
  readonly inspect: Inspect;
  readonly breaker: Pick<Breaker, 'weigh'>;
  readonly isSameContent: (a: Buffer, b: Buffer) => boolean;
  readonly maxEvents: number;
  readonly now: () => number;
  readonly breathe: Breathe;
};

export type Pipeline = SourceHandler & {
  /** Runs until stopped; resolves when nothing is being written any more. Rejects with what must halt. */
  run(): Promise<void>;
  /** Takes no more, finishes the write under way. Idempotent. */
  stop(): Promise<void>;
};

/**
 * The heart: while one batch is being written, the next is cut, decoded and composed. One write at a time; what a
 * batch was composed on is checked by the sink just before it sends.
 */
export const pipeline = (options: PipelineOptions): Pipeline => {
  const { sink, batcher, assignment, happenings, inspect, maxEvents, breathe } = options;
  const ready = preparing(options);
  const write = writing({ ...options, preparing: ready });
  const end = new AbortController();
  const halted = Promise.withResolvers<never>();
  halted.promise.catch(ignore);
  let underWay: Promise<Batch | null> = Promise.resolve(null);
  /** The batch under way as it was composed, and what it will have stored, for the one that is composed meanwhile. */
  let predecessor: Batch | null = null;
  let ahead: Ahead = new Map();
  let running: Promise<void> | null = null;

  const fail = (error: unknown) => {
    end.abort();
    assignment.end();
    halted.reject(error);
  };

  const cut = async (): Promise<Draft> => {
    const draft = await draftBatch(batcher, sink.budget, maxEvents, inspect, assignment.continued, breathe);
    for (const { slice, last } of draft.parts) {
      assignment.advance(slice.pending.partition, { last, unchecked: false });
    }
    return draft;
  };

  /** Prepares a draft while its predecessor is being written; anew, if that was not written exactly as composed. */
  const prepareAhead = async (draft: Draft, over: AbortSignal): Promise<Prepared> => {
    const prepared = await ready.prepare(draft, ahead, over);
    const written = await underWay;
    if (written === predecessor) return prepared;
    ahead = storedOf(written);
    return await ready.compose(draft, { found: prepared.before.found, ahead }, over);
  };

  const begin = (prepared: Prepared) => {
    predecessor = prepared.composed.batch;
    ahead = prepared.stores;
    underWay = write(prepared);
    underWay.catch(fail);
  };

  /**
   * Fetches what the next records need to be decoded: nothing is drafted before that. Each try looks anew at what waits,
   * for an assignment that is over takes its records away.
   */
  const decodable = async (): Promise<void> => {
    const prepare = () => inspect.prepare(batcher.peek(maxEvents).map(({ value }) => value));
    let wait = prepare();
    if (wait === null) return;
    const fetchAgain = () => {
      const now = wait ?? prepare() ?? Promise.resolve();
      wait = null;
      return now;
    };
    try {
      await options.retrying('fetching schemas', fetchAgain, end.signal);
    } catch (error) {
      if (!end.signal.aborted) throw error;
    }
  };

  const loop = async () => {
    while (await batcher.whenDue(end.signal, underWay)) {
      await decodable();
      if (end.signal.aborted) break;
      const draft = await cut();
      // All that was due may have been given up while its records were looked at.
      if (draft.parts.length === 0) continue;
      const prepared = await unlessOver(draft, (over) => prepareAhead(draft, over));
      if (prepared !== null) begin(prepared);
    }
    await underWay;
  };

  return {
    run: async () => {
      running ??= loop();
      running.catch(fail);
      await Promise.race([running, halted.promise]);
    },
    stop: async () => {
      end.abort();
      batcher.withdraw();
      await running?.catch(ignore);
    },
    assigned: (epoch, partitions) => {
      happenings.assigned(epoch, partitions);
      assignment.assign(epoch, partitions, underWay.then(ignore, ignore));
    },
    letGo: () => {
      happenings.letGo();
      assignment.end();
    },
    deliver: async (delivery) => {
      try {
        return end.signal.aborted ? null : await assignment.deliver(delivery);
      } catch (error) {
        fail(error);
        return null;
      }
    },
    doubt: assignment.doubt,
    failed: fail,
  };
};

const ignore = () => undefined;
