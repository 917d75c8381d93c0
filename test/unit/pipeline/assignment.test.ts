import { describe, expect, test } from '@jest/globals';
import { batcher } from '../../../src/consumers/batcher.ts';
import type { LogBounds } from '../../../src/consumers/source.ts';
import { assignment } from '../../../src/pipeline/assignment.ts';
import { valueSha256 } from '../../../src/schemas/record-hash.ts';
import type { Standing } from '../../../src/sinks/sink.ts';
import {
  deliveryOf,
  noBreaker,
  recordAt,
  retryAtOnce,
  scriptedSource,
  standingAt,
  toldHappenings,
  turn,
} from '../../support/pipeline-rig.ts';

const settled = Promise.resolve();

/** One or two partitions; what the ledger and Kafka say is in `marks` and `bounds`. */
const rig = ({ maxLoss = 0n, maxEvents = 1000 } = {}) => {
  const bounds = new Map<number, LogBounds>([
    [0, { start: 0n, end: 100n }],
    [1, { start: 0n, end: 100n }],
  ]);
  const marks = new Map<number, Standing>();
  const reads = { whenRead: (): Promise<void> => Promise.resolve() };
  const { source, seen, script } = scriptedSource(bounds);
  const { happenings, told, failures } = toldHappenings();
  const queue = batcher({ maxEvents, maxBytes: 1_000_000, maxAgeMs: 5 });
  const clock = { nowMs: 0, looks: [] as (() => void)[] };
  const lanes = assignment({
    ...{ source, batcher: queue, retrying: retryAtOnce, happenings, clusterId: 'cluster', maxLoss },
    sink: {
      open: async (partitions) => {
        const found = partitions.flatMap((partition) => marks.get(partition) ?? []);
        await reads.whenRead();
        return new Map(found.map((mark) => [mark.partition, mark]));
      },
    },
    sha256: (record) => valueSha256(record.value),
    ...{ recogniseEveryMs: 1000, lookEveryMs: 50, now: () => clock.nowMs, breaker: noBreaker },
    wait: (_, signal) =>
      new Promise((resolve, reject) => {
        clock.looks.push(() => resolve(undefined));
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  });
  const take = () => queue.draft(() => true);
  return { bounds, marks, reads, seen, script, told, failures, queue, clock, lanes, take };
};

const rangesOf = (slices: ReturnType<ReturnType<typeof rig>['take']>) =>
  slices.map(({ pending, first, next }) => `${pending.partition}@${first.toString()}-${next.toString()}`);

/** A promise that the test resolves, to hold a call back. */
const held = () => Promise.withResolvers<undefined>();

describe('opening', () => {
  test('a partition without a mark is read from its log start, one with a mark from its last covered record', async () => {
    const { lanes, marks, bounds, seen, told } = rig();
    bounds.set(0, { start: 7n, end: 100n });
    marks.set(1, standingAt(1, 40n));
    lanes.assign(1, [0, 1], settled);
    await turn();
    expect(seen.seeks).toEqual([
      [0, 7n],
      [1, 39n],
    ]);
    expect(told).toEqual(['opened 0@7', 'opened 1@40']);
  });

  test('nothing is read before the last write of the former assignment is over', async () => {
    const { lanes, seen } = rig();
    const writing = held();
    lanes.assign(1, [0], writing.promise);
    await turn();
    expect(seen.seeks).toEqual([]);
    writing.resolve(undefined);
    await turn();
    expect(seen.seeks).toEqual([[0, 0n]]);
  });

  test('a delivery that comes before the partition is open waits for it, and is trimmed to what is not covered', async () => {
    const { lanes, marks, take } = rig();
    marks.set(0, standingAt(0, 10n));
    lanes.assign(1, [0], settled);
    const done = lanes.deliver(deliveryOf(0, 9n, 20n));
    await turn();
    expect(rangesOf(take())).toEqual(['0@10-20']);
    expect(await done).toBe(20n);
  });

  test.each([
    ['cluster', ({ script }: ReturnType<typeof rig>) => (script.clusterId = 'other')],
    ['log end below the coverage', ({ bounds }: ReturnType<typeof rig>) => bounds.set(0, { start: 0n, end: 5n })],
    ['partition that is gone', ({ bounds }: ReturnType<typeof rig>) => bounds.delete(0)],
  ])('another %s is another log', async (_, change) => {
    const all = rig();
    all.marks.set(0, standingAt(0, 10n));
    change(all);
    all.lanes.assign(1, [0], settled);
    await turn();
    expect(all.failures).toMatchObject([{ code: 'LOG_REPLACED' }]);
  });

  test('a rebalance while a partition is being opened gives the waiting delivery up, and nothing fails', async () => {
    const { lanes, reads, failures } = rig();
    const reading = held();
    reads.whenRead = () => reading.promise;
    lanes.assign(1, [0], settled);
    const waiting = lanes.deliver(deliveryOf(0, 0n, 5n));
    await turn();
    lanes.assign(2, [0], settled);
    expect(await waiting).toBeNull();
    reading.resolve(undefined);
    await turn();
    expect(failures).toEqual([]);
  });

  test('of two openings of one partition the later one counts, whichever ends first', async () => {
    const { lanes, marks, reads, seen, take } = rig();
    lanes.assign(1, [0], settled);
    await turn();
    const slow = held();
    reads.whenRead = () => slow.promise;
    marks.set(0, standingAt(0, 10n, 5n));
    lanes.adopt(standingAt(0, 10n, 5n), 1);
    await turn();
    reads.whenRead = () => Promise.resolve();
    marks.set(0, standingAt(0, 20n, 6n));
    lanes.adopt(standingAt(0, 20n, 6n), 1);
    await turn();
    slow.resolve(undefined);
    await turn();
    expect(seen.seeks).toEqual([
      [0, 0n],
      [0, 19n],
    ]);
    void lanes.deliver(deliveryOf(0, 19n, 25n));
    await turn();
    expect(rangesOf(take())).toEqual(['0@20-25']);
  });
});

describe('an assignment that is over', () => {
  test('a delivery of an older epoch, or of a partition that is not ours, is void', async () => {
    const { lanes, queue } = rig();
    lanes.assign(2, [0], settled);
    await turn();
    expect(await lanes.deliver(deliveryOf(0, 0n, 5n, 1))).toBeNull();
    expect(await lanes.deliver(deliveryOf(1, 0n, 5n, 2))).toBeNull();
    expect(queue.queued().records).toBe(0);
  });

  test('what was queued is given up, and its signal says so', async () => {
    const { lanes, take } = rig({ maxEvents: 5 });
    lanes.assign(1, [0, 1], settled);
    await turn();
    void lanes.deliver(deliveryOf(0, 0n, 5n));
    await turn();
    const [cut] = take();
    const queued = lanes.deliver(deliveryOf(1, 0n, 5n));
    await turn();
    lanes.end();
    expect(await queued).toBeNull();
    expect(cut?.pending.over.aborted).toBe(true);
    expect(await lanes.deliver(deliveryOf(0, 5n, 9n))).toBeNull();
  });
});

describe('moved by another writer', () => {
  test('read on from there, once the group has confirmed that we are in it', async () => {
    const { lanes, marks, script, seen } = rig();
    lanes.assign(1, [0], settled);
    await turn();
    marks.set(0, standingAt(0, 30n, 8n));
    script.commits = [false, false, true];
    lanes.adopt(standingAt(0, 30n, 8n), 1);
    await turn(8);
    expect(seen.commits).toEqual(Array(3).fill({ partition: 0, next: 30n, metadata: 'tx=8' }));
    expect(seen.seeks.at(-1)).toEqual([0, 29n]);
  });

  test('nothing of it is queued or delivered before', async () => {
    const { lanes, script, queue } = rig({ maxEvents: 5 });
    lanes.assign(1, [0], settled);
    await turn();
    const queued = lanes.deliver(deliveryOf(0, 0n, 5n));
    await turn();
    script.commits = Array<boolean>(50).fill(false);
    lanes.adopt(standingAt(0, 30n), 1);
    expect(await queued).toBeNull();
    const late = lanes.deliver(deliveryOf(0, 5n, 9n));
    await turn();
    expect(queue.queued().records).toBe(0);
    lanes.end();
    expect(await late).toBeNull();
  });
});

describe('recognising', () => {
  test('a fetch that was answered with an error puts the log in doubt until its last covered record is seen', async () => {
    const { lanes, marks, seen, queue, take } = rig();
    marks.set(0, standingAt(0, 10n));
    lanes.assign(1, [0], settled);
    await turn();
    void lanes.deliver(deliveryOf(0, 9n, 20n));
    await turn();
    expect(rangesOf(take())).toEqual(['0@10-20']);
    lanes.doubt();
    expect(await lanes.deliver(deliveryOf(0, 20n, 30n))).toBeNull();
    expect(queue.queued().records).toBe(0);
    expect(seen.seeks.at(-1)).toEqual([0, 9n]);
    void lanes.deliver(deliveryOf(0, 9n, 30n));
    await turn();
    expect(rangesOf(take())).toEqual(['0@20-30']);
  });

  test('after a while the last covered record is asked for anew', async () => {
    const { lanes, marks, seen, clock } = rig();
    marks.set(0, standingAt(0, 10n));
    lanes.assign(1, [0], settled);
    await turn();
    void lanes.deliver(deliveryOf(0, 9n, 20n));
    await turn();
    clock.nowMs = 1000;
    expect(await lanes.deliver(deliveryOf(0, 20n, 30n))).toBeNull();
    expect(seen.seeks.at(-1)).toEqual([0, 9n]);
  });

  test('where Kafka has deleted it, cluster and log end are asked for anew, as often as it is doubted', async () => {
    const { lanes, marks, bounds, seen, told, failures, take } = rig();
    marks.set(0, standingAt(0, 10n));
    bounds.set(0, { start: 10n, end: 100n });
    lanes.assign(1, [0], settled);
    await turn();
    for (let count = 0; count < 10; count += 1) {
      lanes.doubt();
      expect(await lanes.deliver(deliveryOf(0, 10n, 20n))).toBeNull();
      await turn();
    }
    expect(new Set(seen.seeks.map(([, offset]) => offset))).toEqual(new Set([10n]));
    expect(told).toHaveLength(11);
    void lanes.deliver(deliveryOf(0, 10n, 20n));
    await turn();
    expect(rangesOf(take())).toEqual(['0@10-20']);
    lanes.doubt();
    bounds.set(0, { start: 0n, end: 9n });
    expect(await lanes.deliver(deliveryOf(0, 20n, 30n))).toBeNull();
    await turn();
    expect(failures).toMatchObject([{ code: 'LOG_REPLACED' }]);
  });

  test('where the ledger has none yet, what waits is not continued after a doubt, but fetched anew', async () => {
    const { lanes, seen, queue, take } = rig();
    lanes.assign(1, [0], settled);
    await turn();
    const waiting = lanes.deliver(deliveryOf(0, 0n, 5n));
    await turn();
    lanes.doubt();
    expect(await lanes.deliver(deliveryOf(0, 5n, 10n))).toBeNull();
    await waiting;
    await turn();
    expect(queue.queued().records).toBe(0);
    expect(seen.seeks).toEqual([
      [0, 0n],
      [0, 0n],
    ]);
    void lanes.deliver(deliveryOf(0, 0n, 10n));
    await turn();
    expect(rangesOf(take())).toEqual(['0@0-10']);
  });

  test('a doubt that comes while the log bounds are being read is one of what they say', async () => {
    const { lanes, marks, bounds, script, told } = rig();
    marks.set(0, standingAt(0, 10n));
    bounds.set(0, { start: 10n, end: 100n });
    const reading = held();
    script.whenBounds = () => reading.promise;
    lanes.assign(1, [0], settled);
    await turn();
    lanes.doubt();
    reading.resolve(undefined);
    await turn();
    expect(await lanes.deliver(deliveryOf(0, 10n, 20n))).toBeNull();
    await turn();
    expect(told).toEqual(['opened 0@10', 'opened 0@10']);
    void lanes.deliver(deliveryOf(0, 10n, 20n));
    await turn();
    expect(lanes.continued(0).unchecked).toBe(true);
  });

  test('another record in its place halts', async () => {
    const { lanes, marks } = rig();
    marks.set(0, standingAt(0, 10n));
    lanes.assign(1, [0], settled);
    const delivery = { ...deliveryOf(0, 9n, 10n), records: [recordAt(0, 9n, 'another')] };
    await expect(lanes.deliver(delivery)).rejects.toMatchObject({ code: 'LOG_REPLACED' });
  });

  test('where compaction took it, the next coverage says so', async () => {
    const { lanes, marks, script } = rig();
    script.isCompacted = true;
    marks.set(0, standingAt(0, 10n));
    lanes.assign(1, [0], settled);
    const gap = { from: 9n, to: 10n, reason: 'absent' as const };
    void lanes.deliver({ ...deliveryOf(0, 9n, 12n), records: [recordAt(0, 10n), recordAt(0, 11n)], gaps: [gap] });
    await turn();
    expect(lanes.continued(0).unchecked).toBe(true);
  });
});

describe('no progress', () => {
  test('a delivery above the coverage is not used; every second one looks anew, the sixth halts', async () => {
    const { lanes, seen, queue } = rig();
    lanes.assign(1, [0], settled);
    await turn();
    for (let count = 1; count < 6; count += 1) {
      expect(await lanes.deliver(deliveryOf(0, 50n, 60n))).toBeNull();
      await turn();
    }
    expect(seen.seeks).toHaveLength(3);
    await expect(lanes.deliver(deliveryOf(0, 50n, 60n))).rejects.toMatchObject({
      code: 'COVERAGE_HOLE',
      message: 'partition 0: offsets 0 to 50 are missing and Kafka shows no reason',
    });
    expect(queue.queued().records).toBe(0);
  });

  test('one that continues makes up for those before', async () => {
    const { lanes, take } = rig();
    lanes.assign(1, [0], settled);
    await turn();
    for (let next = 10n; next <= 80n; next += 10n) {
      expect(await lanes.deliver(deliveryOf(0, 90n, 95n))).toBeNull();
      void lanes.deliver(deliveryOf(0, next - 10n, next));
      await turn();
      expect(take()).toHaveLength(1);
    }
  });
});

describe('records that were deleted before they were stored', () => {
  test('so few as may be stated are queued as a gap, before what is read after', async () => {
    const { lanes, marks, bounds, seen, told, take } = rig({ maxLoss: 5n });
    marks.set(0, standingAt(0, 10n));
    bounds.set(0, { start: 15n, end: 100n });
    lanes.assign(1, [0], settled);
    await turn();
    expect(told).toEqual(['lost 0@10-15', 'opened 0@10']);
    expect(seen.seeks).toEqual([[0, 15n]]);
    expect(lanes.continued(0)).toEqual({ last: standingAt(0, 10n).last, unchecked: true });
    void lanes.deliver(deliveryOf(0, 15n, 20n));
    await turn();
    const [slice, ...others] = take();
    expect([slice?.first, slice?.next, slice?.records.length, slice?.gaps, others]).toEqual([
      ...[10n, 20n, 5],
      [{ from: 10n, to: 15n, reason: 'below_log_start' }],
      [],
    ]);
  });

  test('more hold the partition until a person accepted the loss in the ledger', async () => {
    const { lanes, marks, bounds, seen, told, clock } = rig({ maxLoss: 4n });
    marks.set(0, standingAt(0, 10n));
    bounds.set(0, { start: 15n, end: 100n });
    lanes.assign(1, [0], settled);
    await turn();
    expect([...seen.held]).toEqual([0]);
    expect(await lanes.deliver(deliveryOf(0, 15n, 20n))).toBeNull();
    clock.looks.shift()?.();
    await turn();
    expect([...seen.held]).toEqual([0]);
    marks.set(0, { ...standingAt(0, 10n), next: 15n, tx: 9n });
    clock.looks.shift()?.();
    await turn();
    expect([...seen.held]).toEqual([]);
    expect(told).toEqual(['lost 0@10-15', 'held 0', 'released 0', 'opened 0@15']);
    expect(seen.seeks).toEqual([[0, 15n]]);
  });

  test('what was being written when it was held may leave so few that nobody need be asked', async () => {
    const { lanes, marks, bounds, seen, told, clock, take } = rig({ maxLoss: 4n });
    marks.set(0, standingAt(0, 10n));
    bounds.set(0, { start: 15n, end: 100n });
    lanes.assign(1, [0], settled);
    await turn();
    marks.set(0, standingAt(0, 12n, 9n));
    clock.looks.shift()?.();
    await turn();
    expect([...seen.held]).toEqual([]);
    expect(told).toEqual(['lost 0@10-15', 'held 0', 'released 0', 'lost 0@12-15', 'opened 0@12']);
    expect(take().map(({ gaps }) => gaps)).toEqual([[{ from: 12n, to: 15n, reason: 'below_log_start' }]]);
  });

  test('a rebalance while a held partition looks leaves the lane of the new assignment alone', async () => {
    const { lanes, marks, bounds, seen, script, clock, take } = rig();
    marks.set(0, standingAt(0, 10n));
    bounds.set(0, { start: 15n, end: 100n });
    lanes.assign(1, [0], settled);
    await turn();
    marks.set(0, { ...standingAt(0, 10n), next: 15n, tx: 9n });
    const reading = held();
    script.whenBounds = () => reading.promise;
    clock.looks.shift()?.();
    await turn();
    script.whenBounds = () => Promise.resolve();
    lanes.assign(2, [0], settled);
    await turn();
    reading.resolve(undefined);
    await turn();
    expect(seen.seeks).toEqual([[0, 15n]]);
    void lanes.deliver(deliveryOf(0, 15n, 20n, 2));
    await turn();
    expect(rangesOf(take())).toEqual(['0@15-20']);
  });
});
