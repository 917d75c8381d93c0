import { admit } from '../consumers/coverage.ts';
import type { Batcher } from '../consumers/batcher.ts';
import type { Delivery, Source } from '../consumers/source.ts';
import { PipelineError } from '../errors.ts';
import type { Standing } from '../sinks/sink.ts';
import type { Continued } from './draft.ts';
import { lane, type Lane, type OpenState } from './lane.ts';
import { openings, type OpeningOptions } from './opening.ts';
import { recognising, type RecogniseOptions } from './recognising.ts';
import type { Retrying } from './retrying.ts';
import { surveying, type SurveyOptions } from './survey.ts';

export type AssignmentOptions = Omit<OpeningOptions, 'survey' | 'source' | 'batcher'> &
  Omit<SurveyOptions, 'source'> &
  RecogniseOptions & { readonly source: Source; readonly batcher: Batcher; readonly retrying: Retrying };

/** The partitions of the present epoch: each is opened from the ledger before any record of it may be stored. */
export type Assignment = {
  /** Voids every lane and opens these, once `settled` resolves: when nothing of an older epoch is being written. */
  assign(epoch: number, partitions: readonly number[], settled: Promise<void>): void;
  /** The epoch is coming to its end: nothing of it goes on but the write under way. */
  end(): void;
  /** As SourceHandler.deliver, but rejects with what must halt. */
  deliver(delivery: Delivery): Promise<bigint | null>;
  /** What the next part of a partition continues, and that it does. */
  continued(partition: number): Continued;
  advance(partition: number, continued: Continued): void;
  written(standings: readonly Standing[], epoch: number): void;
  /** Nothing more may be stored of any log before it was recognised anew. */
  doubt(): void;
  /** The breaker holds it: the ledger says so. */
  hold(partition: number, epoch: number): void;
  /** Another writer moved it: if the group still counts us in, take the ledger's word and fetch anew. */
  adopt(standing: Standing, epoch: number): void;
};

/** Deliveries in a row without progress before the hole itself is the failure; every second one looks anew. */
const maxMisses = 6;

export const assignment = (options: AssignmentOptions): Assignment => {
  const { source, batcher, retrying } = options;
  const lanes = new Map<number, Lane>();
  const { open } = openings({ ...options, survey: surveying(options) });
  const isRecognised = recognising(options);
  let epoch = -1;
  let scope = new AbortController();

  const end = () => {
    scope.abort();
    for (const each of lanes.values()) each.become({ kind: 'void' });
    lanes.clear();
    batcher.withdraw();
  };

  const openOf = (partition: number): OpenState | null => {
    const state = lanes.get(partition)?.state();
    return state?.kind === 'open' ? state : null;
  };

  const whenOpen = async (given: Lane): Promise<OpenState | null> => {
    for (;;) {
      const state = given.state();
      if (state.kind !== 'opening') return state.kind === 'open' ? state : null;
      await state.over;
    }
  };

  const take = (given: Lane, state: OpenState, delivery: Delivery): Promise<bigint | null> => {
    const { partition, over } = given;
    if (!isRecognised(state, delivery)) return unrecognised(given, state, delivery);
    const first = state.admitted;
    const admission = admit(first, delivery);
    if (admission.kind === 'above') return miss(given, state, delivery);
    given.misses = 0;
    if (admission.kind === 'covered') return Promise.resolve(first);
    const { records, gaps } = admission;
    state.admitted = delivery.next;
    return batcher.add({ partition, epoch: given.epoch, over, first, next: delivery.next, records, gaps });
  };

  /**
   * The last covered record must be seen first. Where Kafka has deleted it, a fetch of it would be answered with an
   * error, which is a doubt again; and there may be none yet. Then what waits is given up, and ledger and Kafka are asked
   * anew.
   */
  const unrecognised = (given: Lane, state: OpenState, delivery: Delivery): Promise<null> => {
    const { last } = state.position;
    if (last === null || last.offset < state.logStart) {
      batcher.withdraw([given.partition]);
      void open([given], atOnce);
      return Promise.resolve(null);
    }
    source.seek(given.partition, last.offset);
    return miss(given, state, delivery);
  };

  /** The delivery does not continue what we have: look anew where ledger and Kafka stand. */
  const miss = (given: Lane, { position }: OpenState, delivery: Delivery): Promise<null> => {
    given.misses += 1;
    if (given.misses >= maxMisses) throw hole(given.partition, position.next, delivery.from);
    if (given.misses % 2 === 0) void open([given], atOnce);
    return Promise.resolve(null);
  };

  /** The broker takes a commit from members of the present generation only. */
  const confirm = ({ partition, next, tx }: Standing, given: Lane): Promise<void> => {
    const offset = { partition, next, metadata: `tx=${tx.toString()}` };
    const ask = async () => {
      if (await source.commit([offset], given.epoch)) return;
      throw new PipelineError('KAFKA_UNAVAILABLE', `the group does not confirm that partition ${partition} is ours`);
    };
    return retrying('confirming the membership', ask, given.over);
  };

  return {
    assign: (nextEpoch, partitions, settled) => {
      end();
      epoch = nextEpoch;
      scope = new AbortController();
      for (const partition of partitions) lanes.set(partition, lane(partition, epoch, scope.signal));
      void open([...lanes.values()], () => settled);
    },
    end,
    deliver: async (delivery) => {
      const given = lanes.get(delivery.partition);
      if (given === undefined || delivery.epoch !== epoch) return null;
      const state = await whenOpen(given);
      return state === null ? null : await take(given, state, delivery);
    },
    continued: (partition) => openOf(partition)?.continued ?? { last: null, unchecked: false },
    advance: (partition, continued) => {
      const state = openOf(partition);
      if (state !== null) state.continued = continued;
    },
    written: (standings, writtenEpoch) => {
      if (writtenEpoch !== epoch) return;
      for (const { partition, next, last } of standings) {
        const state = openOf(partition);
        if (state !== null && next > state.position.next) state.position = { next, last };
      }
    },
    doubt: () => {
      for (const each of lanes.values()) {
        each.doubts += 1;
        const state = each.state();
        if (state.kind === 'open') state.recognisedAt = null;
      }
    },
    hold: (partition, heldEpoch) => {
      const given = heldEpoch === epoch ? lanes.get(partition) : undefined;
      if (given === undefined) return;
      batcher.withdraw([partition]);
      void open([given], atOnce);
    },
    adopt: (standing, adoptedEpoch) => {
      const given = adoptedEpoch === epoch ? lanes.get(standing.partition) : undefined;
      if (given === undefined) return;
      batcher.withdraw([given.partition]);
      if (given.state().kind === 'held') return;
      given.misses = 0;
      void open([given], () => confirm(standing, given));
    },
  };
};

const atOnce = () => Promise.resolve();

const hole = (partition: number, next: bigint, from: bigint) =>
  new PipelineError(
    'COVERAGE_HOLE',
    `partition ${partition}: offsets ${next.toString()} to ${from.toString()} are missing and Kafka shows no reason`,
  );
