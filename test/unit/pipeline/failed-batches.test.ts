import { afterEach, describe, expect, test } from '@jest/globals';
import { batcher } from '../../../src/consumers/batcher.ts';
import type { Delivery, LogBounds } from '../../../src/consumers/source.ts';
import { PipelineError } from '../../../src/errors.ts';
import { assignment } from '../../../src/pipeline/assignment.ts';
import { breaker } from '../../../src/pipeline/breaker.ts';
import { pipeline, type Pipeline } from '../../../src/pipeline/deliver.ts';
import { sameContent } from '../../../src/schemas/canonical.ts';
import { plainDecoder } from '../../../src/schemas/registry/decoder.ts';
import { valueSha256 } from '../../../src/schemas/record-hash.ts';
import type { KafkaRecord } from '../../../src/schemas/record.ts';
import { redriveHeaders } from '../../../src/schemas/redrive-headers.ts';
import type { DeadLetter } from '../../../src/sinks/dead-letters.ts';
import type { Batch } from '../../../src/sinks/sink.ts';
import { memorySink } from '../../fakes/memory-sink.ts';
import { testEvent } from '../../support/load.ts';
import { recordAt, retryAtOnce, scriptedSource, toldHappenings } from '../../support/pipeline-rig.ts';
import { until } from '../../support/until.ts';

let running: Pipeline[] = [];
afterEach(async () => {
  for (const each of running) await each.stop();
  running = [];
});

const rig = (maxRun = Infinity) => {
  const bounds = new Map<number, LogBounds>([0, 1].map((partition) => [partition, { start: 0n, end: 1000n }]));
  const { source, seen } = scriptedSource(bounds);
  const { happenings, told } = toldHappenings();
  const ledger = memorySink();
  const queue = batcher({ maxEvents: 1000, maxBytes: 10_000_000, maxAgeMs: 1 });
  const letters: DeadLetter[] = [];
  const looks: (() => void)[] = [];
  const trips = breaker({ window: 1000, maxSharePercent: 100, maxRun });
  const now = () => performance.now();
  const common = { source, sink: ledger.sink, batcher: queue, retrying: retryAtOnce, happenings, breaker: trips, now };
  const lanes = assignment({
    ...common,
    ...{ clusterId: 'cluster', maxLoss: 0n, recogniseEveryMs: 1e9, lookEveryMs: 1 },
    sha256: (record) => valueSha256(record.value),
    wait: (_, signal) =>
      new Promise((resolve, reject) => {
        looks.push(() => resolve(undefined));
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  });
  const heart = pipeline({
    ...common,
    ...{
      assignment: lanes,
      inspect: plainDecoder(() => null),
      isSameContent: sameContent,
      maxEvents: 1000,
    },
    deadLetters: {
      send: (sent) =>
        Promise.resolve(sent.map((letter) => ({ partition: 0, offset: BigInt(letters.push(letter) - 1) }))),
    },
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
  });
  const halted = heart.run().then(
    () => null,
    (error: unknown) => error,
  );
  running.push(heart);
  heart.assigned(1, [0, 1]);
  const covered = () => new Map([...ledger.marks].map(([partition, { next }]) => [partition, next]));
  return { ...ledger, seen, told, letters, looks, heart, halted, covered };
};

const valueOf = (one: string | Readonly<Record<string, unknown>>) =>
  Buffer.from(typeof one === 'string' ? one : JSON.stringify(testEvent(one)));
const delivery = (
  partition: number,
  from: bigint,
  values: readonly (string | Readonly<Record<string, unknown>>)[],
  headers: KafkaRecord['headers'] = [],
): Delivery => {
  const records = values.map((one, index) => ({
    ...recordAt(partition, from + BigInt(index)),
    value: valueOf(one),
    headers,
  }));
  const next = from + BigInt(values.length);
  return { partition, epoch: 1, from, next, records, gaps: [], logEnd: next };
};

/** A ledger that refuses every batch with a record that says so, in its own words. */
const refusesLarge = (batch: Batch) => {
  const isLarge = batch.spans.some(({ outcomes }) =>
    outcomes.some((one) => one.kind === 'stored' && one.json.includes('"large"')),
  );
  return isLarge
    ? Promise.reject(new PipelineError('LEDGER_REQUEST_REFUSED', 'Set: max value length exceeded'))
    : Promise.resolve(null);
};
const large = { event_action: 'large' };
const outcomesOf = (batches: readonly Batch[]) =>
  batches.flatMap(({ spans }) =>
    spans.flatMap(({ partition, outcomes }) =>
      outcomes.map(({ kind, record }) => `${partition}@${record.offset.toString()} ${kind}`),
    ),
  );

describe('a batch that the ledger refuses for good', () => {
  test('only the records that are refused by themselves die, with its own words; neighbours are stored', async () => {
    const { heart, hooks, letters, written, covered } = rig();
    hooks.instead = refusesLarge;
    const first = heart.deliver(delivery(0, 0n, [{}, {}, large, {}, large, {}, {}]));
    const second = heart.deliver(delivery(1, 0n, [{}, large]));
    await Promise.all([first, second]);
    await until(() => covered().get(0) === 7n && covered().get(1) === 2n, { what: 'all to be covered' });
    const outcomes = outcomesOf(written);
    expect(outcomes).toHaveLength(9);
    expect(outcomes.filter((one) => one.endsWith('dead')).sort()).toEqual(['0@2 dead', '0@4 dead', '1@1 dead']);
    expect(letters.map(({ code, message }) => `${code} ${message}`)).toEqual(
      Array.from({ length: 3 }, () => 'LEDGER_REFUSED Set: max value length exceeded'),
    );
  });

  test('if every record is refused, all of it ends as dead letters', async () => {
    const { heart, hooks, letters, covered } = rig();
    hooks.instead = refusesLarge;
    await heart.deliver(
      delivery(
        0,
        0n,
        Array.from({ length: 9 }, () => large),
      ),
    );
    await until(() => covered().get(0) === 9n, { what: 'all to be covered' });
    expect(letters).toHaveLength(9);
  });

  test('what is refused although it holds no such record halts, and nothing is skipped', async () => {
    const { heart, hooks, halted, covered, letters } = rig();
    hooks.instead = () => Promise.reject(new PipelineError('LEDGER_REQUEST_REFUSED', 'no reason'));
    void heart.deliver(delivery(0, 0n, [{}, {}]));
    expect(await halted).toMatchObject({ code: 'LEDGER_REQUEST_REFUSED' });
    expect(covered().get(0)).toBeUndefined();
    expect(letters).toHaveLength(1);
  });

  test('an outage and a fence refuse nothing for good', async () => {
    const { heart, hooks, letters, covered } = rig();
    let tries = 0;
    hooks.instead = () => {
      tries += 1;
      return tries < 4 ? Promise.reject(new PipelineError('LEDGER_TIMEOUT', 'no answer')) : Promise.resolve(null);
    };
    await heart.deliver(delivery(0, 0n, [{}, {}]));
    await until(() => covered().get(0) === 2n, { what: 'the batch' });
    expect(letters).toEqual([]);
  });
});

describe('the breaker', () => {
  const poison = (count: number) => Array.from({ length: count }, () => 'no event');

  test('holds the partition, says so in the ledger, buries nothing; released, all of it goes on', async () => {
    const { heart, marks, told, seen, letters, looks, covered, written } = rig(5);
    void heart.deliver(delivery(1, 0n, [{}, {}]));
    void heart.deliver(delivery(0, 0n, [{}, ...poison(10), {}]));
    await until(() => seen.held.has(0), { what: 'the hold' });
    expect(letters).toEqual([]);
    expect(marks.get(0)).toMatchObject({ next: 0n, breaker: { isHolding: true, by: 'immutrail' } });
    await until(() => covered().get(1) === 2n, { what: 'the other partition' });

    const held = marks.get(0);
    if (held === undefined) throw new Error('there is no mark');
    marks.set(0, { ...held, tx: held.tx + 100n, breaker: { isHolding: false, by: 'ada', why: 'known' } });
    looks.shift()?.();
    await until(() => !seen.held.has(0), { what: 'the release' });
    await heart.deliver(delivery(0, 0n, [{}, ...poison(10), {}]));
    await until(() => covered().get(0) === 12n, { what: 'all to be covered' });
    expect(letters).toHaveLength(10);
    expect(outcomesOf(written).filter((one) => one.endsWith('stored'))).toHaveLength(4);
    expect(told).toContain('released 0');
  });
});

describe('a record that claims to be a redrive', () => {
  const of = { log: 1, partition: 0, offset: 7n };
  const value = JSON.stringify(testEvent());
  const redrive = { of, tx: 4n, nonce: 'n', expectedSha256: valueSha256(Buffer.from(value)), attempt: 1 };
  const closesOf = (batches: readonly Batch[]) =>
    batches.flatMap(({ spans }) => spans.flatMap(({ outcomes }) => outcomes.map(({ closes }) => closes ?? null)));
  const headers = (nonce: string) => redriveHeaders({ of, attempt: 2, nonce });

  test('settles it if nonce and value are those of the ledger, once', async () => {
    const { heart, redrives, written, covered } = rig();
    redrives.push(redrive);
    await heart.deliver(delivery(0, 0n, [value, value], headers('n')));
    await until(() => covered().get(0) === 2n, { what: 'both' });
    expect(closesOf(written)).toEqual([redrive, null]);
  });

  test.each([
    ['another nonce', value, 'other'],
    ['another value', JSON.stringify(testEvent()), 'n'],
  ])('with %s it is a record like any other', async (_, text, nonce) => {
    const { heart, redrives, written, covered } = rig();
    redrives.push(redrive);
    await heart.deliver(delivery(0, 0n, [text], headers(nonce)));
    await until(() => covered().get(0) === 1n, { what: 'it' });
    expect(closesOf(written)).toEqual([null]);
  });

  test('whose letter an operator took meanwhile is stored all the same, and closes nothing', async () => {
    const { heart, redrives, written, covered, hooks } = rig();
    redrives.push(redrive);
    hooks.instead = (batch) => {
      if (!closesOf([batch]).includes(redrive)) return Promise.resolve(null);
      redrives.length = 0;
      return Promise.resolve({ kind: 'acted' });
    };
    await heart.deliver(delivery(0, 0n, [value], headers('n')));
    await until(() => covered().get(0) === 1n, { what: 'it' });
    expect(closesOf(written)).toEqual([null]);
    expect(outcomesOf(written)).toEqual(['0@0 stored']);
  });
});
