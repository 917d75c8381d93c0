/** What Kafka says of one partition. Read `committed` before the ends, or lag comes out negative. */
export type PartitionLag = {
  readonly topic: string;
  readonly partition: number;
  readonly start: bigint;
  /** Last stable offset. */
  readonly end: bigint;
  /** Null when the group never committed there. Kafka may also hold -1 or -2 after an offset was out of range. */
  readonly committed: bigint | null;
  /** Unix milliseconds of the oldest record that is not committed; null when there is none. */
  readonly oldestWaitingMs: bigint | null;
};

const largest = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** First offset that the group has not committed. */
export const positionOf = ({ committed, start }: PartitionLag): bigint =>
  committed === null || committed < 0n ? start : committed;

/** Offsets that wait, and offsets that retention deleted before they were committed. */
export const lagOf = (row: PartitionLag): { readonly lag: bigint; readonly overtaken: bigint } => {
  const position = positionOf(row);
  return { lag: largest(0n, row.end - largest(position, row.start)), overtaken: largest(0n, row.start - position) };
};

/** How long the oldest record has been waiting by its own timestamp, which a producer's clock may have set. */
export const waitingMsOf = ({ oldestWaitingMs }: PartitionLag, nowMs: number): number =>
  oldestWaitingMs === null ? 0 : Math.max(0, nowMs - Number(oldestWaitingMs));
