import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { marksOf, type WrittenMark } from '../support/ledger-marks.ts';
import { testEvent, testKafka } from '../support/load.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { compactTopic, offsetsOf } from '../support/site-kafka.ts';
import { until } from '../support/until.ts';

// A topic that Kafka compacts while it is read: records vanish between others, also the one by which the log is
// recognised. Partition 0 has five keys, so nearly all of it goes; partition 1 has a key for each event.

let stack: Addresses;
let site: Site;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 2 });
}, 120_000);
afterAll(() => site.close());

const ids: string[] = [];

/** Batches of twenty to each partition, far enough apart for a segment each. */
const produce = async (batches: number) => {
  const producer = testKafka(stack).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  for (let batch = 0; batch < batches; batch += 1) {
    const events = Array.from({ length: 40 }, () => testEvent());
    await producer.send({
      topic: site.topic,
      messages: events.map((event, index) => ({
        partition: index % 2,
        key: index % 2 === 0 ? `key ${index % 10}` : String(event['event_id']),
        value: JSON.stringify(event),
      })),
    });
    ids.push(...events.map((event) => String(event['event_id'])));
    await sleep(80);
  }
  await producer.disconnect();
};

const untilGone = (offset: bigint) =>
  until(async () => !(await offsetsOf(stack, site, 0)).includes(offset), {
    timeoutMs: 60_000,
    what: `the record at offset ${offset.toString()} to be compacted away`,
  });

const lastOf = async (partition: number): Promise<WrittenMark['mark']> => {
  const marks = await marksOf(stack, site);
  return marks.findLast((one) => one.partition === partition)!.mark;
};

const stopped = async (running: Running) => {
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
};

test('a compacted topic: what is gone is a gap, what is left is stored, and a log that cannot be recognised is marked so', async () => {
  await produce(10);
  const first = await site.run();
  await first.ready();
  await untilCaughtUp(site);
  await stopped(first);
  const before = await lastOf(0);
  expect([before.next, before.last?.offset]).toEqual([200n, 199n]);

  // Between two runs: the record at which the next one would begin, and many behind it, are gone.
  await compactTopic(stack, site);
  await produce(10);
  await untilGone(199n);
  const second = await site.run();
  await second.ready();
  await untilCaughtUp(site);

  // Under a process that sleeps through it, and joins the group again after.
  const { last } = await lastOf(0);
  second.kill('SIGSTOP');
  await produce(10);
  await untilGone(last!.offset);
  second.kill('SIGCONT');
  await untilCaughtUp(site);
  const left = await offsetsOf(stack, site, 0);
  await stopped(second);

  const account = await accountSite(stack, site);
  const [shrunk, whole] = account.partitions;
  expect(whole).toMatchObject({ first: 0n, next: 600n, stored: 600n, duplicates: 0n, dead: 0n, gaps: 0n });
  expect(shrunk).toMatchObject({ first: 0n, next: 600n, duplicates: 0n, dead: 0n });
  expect(shrunk!.stored + shrunk!.gaps).toBe(600n);
  expect(shrunk!.gaps).toBeGreaterThan(100n);
  expect([...account.events.keys()].filter((id) => !ids.includes(id))).toEqual([]);
  expect(ids.slice(0, 400).filter((id) => !account.events.has(id))).toEqual([]);

  const marks = await marksOf(stack, site);
  const gaps = marks.flatMap(({ mark }) => mark.gaps);
  expect(new Set(gaps.map(({ reason }) => reason))).toEqual(new Set(['absent']));
  expect(left.filter((offset) => gaps.some(({ from, to }) => offset >= from && offset < to))).toEqual([]);
  // The process that slept may have had the answer to its last fetch already, and so the record behind its last.
  const unchecked = marks.filter(({ mark }) => mark.unchecked === true);
  expect(unchecked.map(({ partition }) => partition)).not.toContain(1);
  expect(unchecked[0]?.mark.first).toBe(200n);
}, 240_000);
