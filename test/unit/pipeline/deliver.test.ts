import { afterEach, describe, expect, test } from '@jest/globals';
import { batcher } from '../../../src/consumers/batcher.ts';
import type { Delivery } from '../../../src/consumers/source.ts';
import { PipelineError } from '../../../src/errors.ts';
import { assignment } from '../../../src/pipeline/assignment.ts';
import { pipeline, type Pipeline } from '../../../src/pipeline/deliver.ts';
import { sameContent } from '../../../src/schemas/canonical.ts';
import { plainDecoder } from '../../../src/schemas/registry/decoder.ts';
import { valueSha256 } from '../../../src/schemas/record-hash.ts';
import type { KafkaRecord } from '../../../src/schemas/record.ts';
import type { DeadLetter } from '../../../src/sinks/dead-letters.ts';
import type { Batch, CommitOutcome } from '../../../src/sinks/sink.ts';
import { memorySink } from '../../fakes/memory-sink.ts';
import { testEvent } from '../../support/load.ts';
import { noBreaker, recordAt, retryAtOnce, scriptedSource, toldHappenings } from '../../support/pipeline-rig.ts';
import { until } from '../../support/until.ts';

const bounds = new Map([0, 1, 2].map((partition) => [partition, { start: 0n, end: 1000n }] as const));

let running: Pipeline[] = [];
afterEach(async () => {
  for (const each of running) await each.stop();
  running = [];
});

const rig = ({ maxEvents = 1000 } = {}) => {
  const { source, seen, script } = scriptedSource(bounds);
  const { happenings, told, failures } = toldHappenings();
  const ledger = memorySink();
  const queue = batcher({ maxEvents, maxBytes: 10_000_000, maxAgeMs: 1 });
  const letters: DeadLetter[] = [];
  const turns = { breathe: (): Promise<void> => new Promise((resolve) => setImmediate(resolve)) };
  const lanes = assignment({
    ...{ source, sink: ledger.sink, batcher: queue, retrying: retryAtOnce, happenings, clusterId: 'cluster' },
    ...{ maxLoss: 0n, recogniseEveryMs: 1e9, lookEveryMs: 1, now: () => performance.now(), breaker: noBreaker },
    sha256: (record) => valueSha256(record.value),
    wait: () => Promise.reject(new Error('nothing is held here')),
  });
  const heart = pipeline({
    ...{ source, sink: ledger.sink, batcher: queue, assignment: lanes, retrying: retryAtOnce, happenings, maxEvents },
    deadLetters: {
      send: (sent) =>
        Promise.resolve(sent.map((letter) => ({ partition: 0, offset: BigInt(letters.push(letter) - 1) }))),
    },
    breaker: noBreaker,
    ...{
      inspect: plainDecoder(() => null),
      isSameContent: sameContent,
      now: () => performance.now(),
    },
    breathe: () => turns.breathe(),
  });
  const halted = heart.run().then(
    () => null,
    (error: unknown) => error,
  );
  running.push(heart);
  heart.assigned(1, [0, 1, 2]);
  return { ...ledger, seen, script, told, failures, letters, turns, heart, halted, queue };
};

type Values = readonly (Readonly<Record<string, unknown>> | string)[];

/** Records from `from` on: events with these fields, or this text. */
const delivery = (partition: number, from: bigint, values: Values, epoch = 1): Delivery => {
  const records = values.map((value, index): KafkaRecord => {
    const text = typeof value === 'string' ? value : JSON.stringify(testEvent(value));
    return recordAt(partition, from + BigInt(index), text);
  });
  const next = from + BigInt(values.length);
  return { partition, epoch, from, next, records, gaps: [], logEnd: next };
};

const kindsOf = ({ spans }: Batch) => spans.flatMap(({ outcomes }) => outcomes.map(({ kind }) => kind));
const coverageOf = ({ spans }: Batch) =>
  spans.map(({ partition, first, next }) => `${partition}@${first.toString()}-${next.toString()}`);
const someEvents = (count: number): Values => Array.from({ length: count }, () => ({}));

/** A commit that the test lets go on, and whether it has begun. */
const heldCommit = (answer: CommitOutcome | null = null) => {
  const begun = Promise.withResolvers<Batch>();
  const go = Promise.withResolvers<undefined>();
  const instead = async (batch: Batch): Promise<CommitOutcome | null> => {
    begun.resolve(batch);
    await go.promise;
    return answer;
  };
  return { instead, begun: begun.promise, go: () => go.resolve(undefined) };
};

describe('the loop', () => {
  test('stores what is delivered, then tells Kafka', async () => {
    const { heart, written, seen, told } = rig();
    expect(await heart.deliver(delivery(0, 0n, someEvents(3)))).toBe(3n);
    await until(() => written.length === 1, { what: 'the batch' });
    expect(coverageOf(written[0]!)).toEqual(['0@0-3']);
    await until(() => seen.commits.length === 1, { what: 'the commit' });
    expect(seen.commits).toEqual([{ partition: 0, next: 3n, metadata: 'tx=3' }]);
    expect(told).toContain('written 0@0-3');
  });

  test('composes the next batch while one is being written, and knows what that one stores', async () => {
    const { heart, hooks, written, queue } = rig({ maxEvents: 2 });
    const first = heldCommit();
    hooks.instead = first.instead;
    const event = testEvent();
    void heart.deliver(delivery(0, 0n, [event, {}]));
    await first.begun;
    hooks.instead = () => Promise.resolve(null);
    void heart.deliver(delivery(1, 0n, [event, {}]));
    await until(() => queue.queued().records === 0, { what: 'the second batch to be cut' });
    expect(written).toHaveLength(0);
    first.go();
    await until(() => written.length === 2, { what: 'both batches' });
    expect(written.map(kindsOf)).toEqual([
      ['stored', 'stored'],
      ['duplicate', 'stored'],
    ]);
  });

  test('a batch that rested on one which was not written is composed anew: its event is no duplicate then', async () => {
    const { heart, hooks, marks, written, queue } = rig({ maxEvents: 1 });
    const theirs = { partition: 0, tx: 9n, next: 1n, last: null };
    const first = heldCommit({ kind: 'moved', standings: [theirs] });
    hooks.instead = first.instead;
    const event = testEvent();
    void heart.deliver(delivery(0, 0n, [event]));
    await first.begun;
    hooks.instead = () => Promise.resolve(null);
    void heart.deliver(delivery(1, 0n, [event]));
    await until(() => queue.queued().records === 0, { what: 'the second batch to be cut' });
    marks.set(0, theirs);
    first.go();
    await until(() => written.length === 1, { what: 'the second batch' });
    expect(coverageOf(written[0]!)).toEqual(['1@0-1']);
    expect(kindsOf(written[0]!)).toEqual(['stored']);
  });
});

describe('what became of each record', () => {
  test('events that the ledger has are duplicates or conflicts, poison is buried, each letter is sent once', async () => {
    const { heart, written, letters, hooks, told } = rig();
    const event = testEvent();
    await heart.deliver(delivery(0, 0n, [event]));
    await until(() => written.length === 1, { what: 'the first batch' });
    await heart.deliver(delivery(2, 0n, [{}]));
    await until(() => written.length === 2, { what: 'one between' });
    const changed = { ...event, event_action: 'changed' };
    await heart.deliver(delivery(1, 0n, ['{', event, changed, {}]));
    await until(() => written.length === 3, { what: 'the second batch' });
    expect(kindsOf(written[2]!)).toEqual(['dead', 'duplicate', 'dead', 'stored']);
    expect(letters.map(({ code }) => code)).toEqual(['JSON_INVALID', 'EVENT_ID_CONFLICT']);
    expect(told).toContain('found 1');
    // From now on it looks before it writes.
    const { finds } = hooks;
    await heart.deliver(delivery(2, 1n, [event]));
    await until(() => written.length === 4, { what: 'the third batch' });
    expect(hooks.finds).toBe(finds + 1);
  });

  test('an outage is waited for, and buries nothing', async () => {
    const { heart, written, letters, hooks } = rig();
    let outages = 20;
    hooks.instead = () =>
      outages-- > 0 ? Promise.reject(new PipelineError('LEDGER_UNAVAILABLE', 'gone')) : Promise.resolve(null);
    await heart.deliver(delivery(0, 0n, someEvents(2)));
    await until(() => written.length === 1, { what: 'the batch' });
    expect([outages, letters]).toEqual([-1, []]);
  });
});

describe('given up', () => {
  test('what was moved leaves the batch, its neighbours are stored', async () => {
    const { heart, written, hooks, marks } = rig();
    const theirs = { partition: 0, tx: 9n, next: 7n, last: null };
    hooks.instead = () => {
      hooks.instead = () => Promise.resolve(null);
      marks.set(0, theirs);
      return Promise.resolve({ kind: 'moved', standings: [theirs] });
    };
    void heart.deliver(delivery(0, 0n, someEvents(2)));
    void heart.deliver(delivery(1, 0n, someEvents(2)));
    await until(() => written.length === 1, { what: 'the batch' });
    expect(coverageOf(written[0]!)).toEqual(['1@0-2']);
  });

  test('all that was due goes while its records are looked at: no empty transaction is sent', async () => {
    const { heart, turns, halted, queue, written } = rig();
    const looking = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    turns.breathe = async () => {
      looking.resolve(undefined);
      await go.promise;
    };
    void heart.deliver(delivery(0, 0n, someEvents(200)));
    await looking.promise;
    queue.withdraw();
    go.resolve(undefined);
    void heart.deliver(delivery(1, 0n, someEvents(2)));
    await until(() => written.length === 1, { what: 'the other partition' });
    await heart.stop();
    expect(await halted).toBeNull();
  });

  test('a rebalance while a batch is cut: what is fetched under the new assignment is not dropped with the old', async () => {
    const { heart, turns, written } = rig();
    const looking = Promise.withResolvers<undefined>();
    const go = Promise.withResolvers<undefined>();
    turns.breathe = async () => {
      looking.resolve(undefined);
      await go.promise;
    };
    void heart.deliver(delivery(0, 0n, someEvents(200)));
    await looking.promise;
    heart.letGo();
    heart.assigned(2, [0]);
    const anew = heart.deliver(delivery(0, 0n, someEvents(70), 2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    go.resolve(undefined);
    expect(await anew).toBe(70n);
    await until(() => written.length === 1, { what: 'the batch' });
    expect(coverageOf(written[0]!)).toEqual(['0@0-70']);
  });

  test('stopping finishes the write under way and takes nothing more', async () => {
    const { heart, hooks, written, halted } = rig();
    const first = heldCommit();
    hooks.instead = first.instead;
    void heart.deliver(delivery(0, 0n, someEvents(2)));
    await first.begun;
    const stopping = heart.stop();
    expect(await heart.deliver(delivery(1, 0n, someEvents(2)))).toBeNull();
    first.go();
    await stopping;
    expect(written).toHaveLength(1);
    expect(await halted).toBeNull();
  });
});

test('what may not be tried again halts, and gives up what waits', async () => {
  const { heart, hooks, halted } = rig({ maxEvents: 1 });
  const error = new PipelineError('LEDGER_HEADER_MISMATCH', 'it lies');
  const first = heldCommit();
  hooks.instead = async (batch) => {
    await first.instead(batch);
    throw error;
  };
  void heart.deliver(delivery(0, 0n, someEvents(1)));
  await first.begun;
  const waiting = heart.deliver(delivery(1, 0n, someEvents(3)));
  first.go();
  expect(await halted).toBe(error);
  expect(await waiting).toBeNull();
});

test('a batch that never comes to be written is given up in the end', async () => {
  const { heart, hooks, halted } = rig();
  hooks.instead = ({ spans }) => {
    const [outcome] = spans[0]?.outcomes ?? [];
    const eventId = outcome?.kind === 'stored' ? outcome.facts.eventId : 'none';
    return Promise.resolve({
      kind: 'exists',
      events: new Map([[`other than ${eventId}`, { eventId, tx: 3n, json: Buffer.alloc(0) }]]),
    });
  };
  await heart.deliver(delivery(0, 0n, someEvents(1)));
  expect(await halted).toMatchObject({ code: 'LEDGER_CONTENDED' });
});
