import type { CommittedOffset, Delivery, LogBounds, Source, TopicBounds } from '../../src/consumers/source.ts';
import type { Happenings } from '../../src/pipeline/happenings.ts';
import type { Retrying } from '../../src/pipeline/retrying.ts';
import type { KafkaRecord } from '../../src/schemas/record.ts';
import { valueSha256 } from '../../src/schemas/record-hash.ts';
import type { Standing } from '../../src/sinks/sink.ts';
import { PipelineError } from '../../src/errors.ts';

// What the pipeline's rooms need around them, as plain data that a test sets and reads.

/** A source whose fetches the test makes itself. Calls that a test wants to hold back await `turnstile`. */
export const scriptedSource = (bounds: Map<number, LogBounds>) => {
  const seen = { seeks: [] as [number, bigint][], held: new Set<number>(), commits: [] as CommittedOffset[] };
  const script = {
    /** Answers of the broker to commits; true when none is left. */
    commits: [] as boolean[],
    whenBounds: (): Promise<void> => Promise.resolve(),
    isCompacted: false,
    clusterId: 'cluster',
  };
  const source: Source = {
    start: () => Promise.resolve(),
    quiesce: () => undefined,
    stop: () => Promise.resolve(),
    seek: (partition, offset) => void seen.seeks.push([partition, offset]),
    hold: (partition) => void seen.held.add(partition),
    release: (partition) => void seen.held.delete(partition),
    commit: (offsets) => {
      seen.commits.push(...offsets);
      return Promise.resolve(script.commits.shift() ?? true);
    },
    bounds: async (partitions): Promise<TopicBounds> => {
      const { clusterId, isCompacted } = script;
      const known = partitions.flatMap((partition): [number, LogBounds][] => {
        const found = bounds.get(partition);
        return found === undefined ? [] : [[partition, found]];
      });
      await script.whenBounds();
      return { clusterId, isCompacted, partitions: new Map(known) };
    },
  };
  return { source, seen, script };
};

/** What was told, in order, as text; `failed` apart. */
export const toldHappenings = () => {
  const told: string[] = [];
  const failures: unknown[] = [];
  const happenings: Happenings = {
    assigned: () => undefined,
    letGo: () => told.push('let go'),
    partitionOpened: (partition, next) => told.push(`opened ${partition}@${next.toString()}`),
    partitionMoved: (partition, next) => told.push(`moved ${partition}@${next.toString()}`),
    partitionHeld: (partition) => told.push(`held ${partition}`),
    partitionReleased: (partition) => told.push(`released ${partition}`),
    recordsLost: (partition, gap) => told.push(`lost ${partition}@${gap.from.toString()}-${gap.to.toString()}`),
    batchWritten: ({ spans }) => told.push(`written ${spans.map(rangeOf).join(' ')}`),
    eventsFound: (count) => told.push(`found ${count}`),
    commitRefused: () => told.push('commit refused'),
    failed: (error) => failures.push(error),
  };
  return { happenings, told, failures };
};

const rangeOf = (span: { partition: number; first: bigint; next: bigint }) =>
  `${span.partition}@${span.first.toString()}-${span.next.toString()}`;

/** Tries again at once. */
export const retryAtOnce: Retrying = async (_, operation, signal) => {
  for (;;) {
    signal.throwIfAborted();
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof PipelineError) || error.disposition !== 'retry') throw error;
      await new Promise(setImmediate);
    }
  }
};

export const recordAt = (partition: number, offset: bigint, text = `value ${offset.toString()}`): KafkaRecord => ({
  ...{ partition, offset, timestamp: 1000n + offset, timestampType: 'create' },
  ...{ key: null, value: Buffer.from(text), headers: [] },
});

/** One record for each offset of [from, next). */
export const deliveryOf = (partition: number, from: bigint, next: bigint, epoch = 1): Delivery => {
  const count = Number(next - from);
  const records = Array.from({ length: count }, (_, index) => recordAt(partition, from + BigInt(index)));
  return { partition, epoch, from, next, records, gaps: [], logEnd: next };
};

/** The ledger covers the partition up to `next`, and has seen the record before it. */
export const standingAt = (partition: number, next: bigint, tx = 5n): Standing => {
  const { offset, timestamp, value } = recordAt(partition, next - 1n);
  return { partition, tx, next, last: { offset, timestamp, sha256: valueSha256(value) } };
};

/** Lets everything settle that waits for nothing outside. */
export const turn = async (times = 3): Promise<void> => {
  for (let left = times; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve));
};
