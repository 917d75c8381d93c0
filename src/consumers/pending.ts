import type { Gap, KafkaRecord } from '../schemas/record.ts';

/** What is new in a delivery, on its way into the ledger. */
export type Admitted = {
  readonly partition: number;
  readonly epoch: number;
  /** Aborts when the assignment under which it was fetched is over: nothing of it may be written any more. */
  readonly over: AbortSignal;
  readonly first: bigint;
  readonly next: bigint;
  readonly records: readonly KafkaRecord[];
  readonly gaps: readonly Gap[];
};

/** A prefix of what a pending delivery had left: the unit that one transaction takes of one partition. */
export type Slice = {
  readonly pending: Pending;
  readonly first: bigint;
  readonly next: bigint;
  readonly records: readonly KafkaRecord[];
  readonly gaps: readonly Gap[];
};

/**
 * A delivery whose records wait for a batch; slices are taken from its front. `done` tells the source when to fetch on:
 * at the end of the delivery as soon as all of it was taken, so that the next fetch overlaps the last writes (what is
 * taken but not durable is fetched again if its write fails); or once closed, where it was durable up to, null for
 * nothing of it.
 */
export type Pending = {
  readonly partition: number;
  readonly epoch: number;
  readonly over: AbortSignal;
  readonly done: Promise<bigint | null>;
  /** The records not yet taken. */
  left(): readonly KafkaRecord[];
  isDrained(): boolean;
  isOpen(): boolean;
  /** Takes the next `count` records and every gap before the record that then comes first. */
  take(count: number): Slice;
  settle(slice: Slice): void;
  /** The slice will not be written; what follows it cannot be either. */
  drop(slice: Slice): void;
  /** No more slices; what is in flight may finish. */
  close(): void;
};

export const pendingDelivery = (admitted: Admitted): Pending => {
  const { records, next } = admitted;
  const { promise, resolve } = Promise.withResolvers<bigint | null>();
  let taken = 0;
  let front = admitted.first;
  let durable = admitted.first;
  const inFlight = new Set<Slice>();
  let isOpen = true;

  const finishIfDone = () => {
    if (isOpen ? front === next : durable === next) resolve(next);
    else if (!isOpen && inFlight.size === 0) resolve(durable === admitted.first ? null : durable);
  };
  const close = () => {
    isOpen = false;
    finishIfDone();
  };

  const pending: Pending = {
    partition: admitted.partition,
    epoch: admitted.epoch,
    over: admitted.over,
    done: promise,
    left: () => (taken === 0 ? records : records.slice(taken)),
    isDrained: () => front === next,
    isOpen: () => isOpen,
    take: (count) => {
      const first = front;
      const chosen = records.slice(taken, taken + count);
      taken += count;
      front = records[taken]?.offset ?? next;
      const gaps = admitted.gaps.filter((gap) => gap.from >= first && gap.from < front);
      const slice = { pending, first, next: front, records: chosen, gaps };
      inFlight.add(slice);
      finishIfDone();
      return slice;
    },
    settle: (slice) => {
      inFlight.delete(slice);
      durable = slice.next;
      finishIfDone();
    },
    drop: (slice) => {
      inFlight.delete(slice);
      close();
    },
    close,
  };
  return pending;
};
