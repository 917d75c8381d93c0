import type { Position } from '../consumers/coverage.ts';
import type { Continued } from './draft.ts';

/**
 * One assigned partition, from its assignment to the end of it. Its states and how they follow each other:
 *
 * ```
 *            ┌── moved by another writer, or deliveries bring no progress ──┐
 *            ▼                                                             │
 *   ──▶ opening ── the ledger and Kafka agree (or a small loss is stated) ─▶ open
 *            │ ▲
 *            │ └── a person accepted the loss
 *            ▼     │
 *            held ─┘
 *
 *   any ──▶ void   the assignment is over
 * ```
 *
 * - `opening`: mark and log bounds are being read. Deliveries wait for the end of it.
 * - `open`: deliveries are recognised, trimmed and queued.
 * - `held`: records were lost, and more than may be stated without a person. Nothing is fetched.
 * - `void`: nothing goes on any more; what still comes is answered with null.
 */
export type LaneState =
  /** `over` resolves when the lane is in another state. A later opening replaces it: then its result counts no more. */
  | { readonly kind: 'opening'; readonly over: Promise<void>; readonly leave: () => void }
  | OpenState
  | { readonly kind: 'held' }
  | { readonly kind: 'void' };

export type OpenState = {
  readonly kind: 'open';
  readonly isCompacted: boolean;
  /** Where the log began when it was opened: below it there is nothing by which to recognise it. */
  readonly logStart: bigint;
  /** What the ledger covers; moves when a transaction is written. */
  position: Position;
  /** Where the next delivery continues: runs ahead of `position.next` by what waits or is being written. */
  admitted: bigint;
  /** What has been cut into batches, `last` running ahead of `position.last`. */
  continued: Continued;
  /** When the log was last recognised by its last covered record; null: must be, before anything is stored. */
  recognisedAt: number | null;
};

export type Lane = {
  readonly partition: number;
  readonly epoch: number;
  /** Aborts when the assignment is over. */
  readonly over: AbortSignal;
  /** Deliveries in a row that brought no progress, over all openings. */
  misses: number;
  /** Fetches that were answered with an error, so far. */
  doubts: number;
  readonly state: () => LaneState;
  /** No state follows `void`. */
  become(next: LaneState): void;
};

export const lane = (partition: number, epoch: number, over: AbortSignal): Lane => {
  let state: LaneState = opening();
  return {
    partition,
    epoch,
    over,
    misses: 0,
    doubts: 0,
    state: () => state,
    become: (next) => {
      const before = state;
      if (before.kind === 'void') return;
      state = next;
      if (before.kind === 'opening') before.leave();
    },
  };
};

export const opening = (): LaneState & { kind: 'opening' } => {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  return { kind: 'opening', over: promise, leave: () => resolve(undefined) };
};
