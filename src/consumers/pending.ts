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
 * Deliveries of one partition, each continuing the one before, whose records wait for a batch; slices are taken from
 * the front. What `add` promises tells the source when to fetch on: at the end of that delivery, as soon as all of it
 * was taken or `fetchOn` was called (what is not durable then is fetched again if its write fails); or once closed,
 * where it was durable up to, null for nothing of it.
 */
export type Pending = {
  readonly partition: number;
  readonly epoch: number;
  readonly over: AbortSignal;
  /** Whether this delivery goes on where the last one ended, under the same assignment. */
  isContinuedBy(admitted: Admitted): boolean;
  add(admitted: Admitted): Promise<bigint | null>;
  /** Lets the source fetch on, while what it brought still waits. */
  fetchOn(): void;
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

type Waiting = Pick<Admitted, 'first' | 'next'> & { readonly resolve: (to: bigint | null) => void };

/** Of one partition and assignment, from `first` on; nothing has been added yet. */
export const pendingDeliveries = ({ partition, epoch, over, first: start }: Admitted): Pending => {
  let records: KafkaRecord[] = [];
  let gaps: readonly Gap[] = [];
  let end = start;
  let front = start;
  let durable = start;
  const inFlight = new Set<Slice>();
  let waiting: Waiting[] = [];
  let isOpen = true;

  const answer = (to: (delivery: Waiting) => bigint | null) => {
    for (const delivery of waiting) delivery.resolve(to(delivery));
    waiting = [];
  };
  const upToDurable = ({ first, next }: Waiting): bigint | null => {
    if (durable <= first) return null;
    return durable < next ? durable : next;
  };
  const answerIfDone = () => {
    if (isOpen ? front === end : durable === end) answer(({ next }) => next);
    else if (!isOpen && inFlight.size === 0) answer(upToDurable);
  };
  const close = () => {
    isOpen = false;
    answerIfDone();
  };

  const pending: Pending = {
    partition,
    epoch,
    over,
    isContinuedBy: (admitted) =>
      isOpen && admitted.partition === partition && admitted.over === over && admitted.first === end,
    add: (admitted) => {
      records = records.length === 0 ? [...admitted.records] : records.concat(admitted.records);
      gaps = [...gaps, ...admitted.gaps];
      end = admitted.next;
      const { promise, resolve } = Promise.withResolvers<bigint | null>();
      waiting.push({ first: admitted.first, next: admitted.next, resolve });
      return promise;
    },
    fetchOn: () => answer(({ next }) => next),
    left: () => records,
    isDrained: () => front === end,
    isOpen: () => isOpen,
    take: (count) => {
      const first = front;
      const chosen = records.slice(0, count);
      records = records.slice(count);
      front = records[0]?.offset ?? end;
      const taken = gaps.filter((gap) => gap.from < front);
      gaps = gaps.filter((gap) => gap.from >= front);
      const slice = { pending, first, next: front, records: chosen, gaps: taken };
      inFlight.add(slice);
      answerIfDone();
      return slice;
    },
    settle: (slice) => {
      inFlight.delete(slice);
      durable = slice.next;
      answerIfDone();
    },
    drop: (slice) => {
      inFlight.delete(slice);
      close();
    },
    close,
  };
  return pending;
};
