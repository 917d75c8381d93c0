import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Stack } from '../../stack/stack.ts';
import { readUntil } from '../support/kafka-read.ts';
import { marksOf } from '../support/ledger-marks.ts';
import { load, testKafka } from '../support/load.ts';
import { openSite, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';
import { lettersOnTopic } from '../support/site-kafka.ts';
import { wayToImmudb, type HurtWay } from '../support/toxiproxy.ts';
import { until } from '../support/until.ts';

// Dead letters first, then the ledger's statement of them. A process that dies in between leaves letters behind that
// nobody states; the next one sends them again.

let stack: Stack;
let site: Site;
let way: HurtWay;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 2 });
  way = await wayToImmudb(stack, site.database);
}, 120_000);
afterAll(async () => {
  await site.close();
  await way.close();
});

test('kill -9 between the dead letters and the ledger: orphans on the topic, one statement for each in the ledger', async () => {
  const env = { IMMUTRAIL_LEDGER_HOST: way.host, IMMUTRAIL_LEDGER_PORT: String(way.port) };
  let running = await site.run(env);
  await running.ready();
  const opened = () => running.output().split('partition opened').length - 1;
  await until(() => opened() === 2, { timeoutMs: 30_000, what: 'both partitions to be opened' });
  // Answers stay away: whatever is sent to immudb from here on is not acknowledged, and may or may not arrive.
  await way.add({ type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } });
  await way.add({ type: 'timeout', stream: 'upstream', attributes: { timeout: 0 } });
  const produced = await load(stack, { topic: site.topic, count: 600, poisonEvery: 20 });
  await until(async () => (await lettersOnTopic(stack, site)) > 0, { timeoutMs: 30_000, what: 'letters to be sent' });
  running.kill('SIGKILL');
  await running.exited;
  await way.heal();

  running = await site.run(env);
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
  const account = await expectAccounted(stack, site, produced);
  expect(Object.fromEntries(account.deadByCode)).toEqual({ JSON_INVALID: produced.poison });

  // Each statement names a letter of its own record; the other letters are orphans, which nobody states.
  const letters = await readUntil(testKafka(stack), site.deadLetterTopic, await lettersOnTopic(stack, site));
  expect(letters.length).toBeGreaterThan(produced.poison);
  const recordOf = new Map(
    letters.map(({ offset, headers = {} }) => {
      const partition = String(headers['__immutrail.errors.partition']);
      return [`${partition}/${offset}`, `${partition}/${String(headers['__immutrail.errors.offset'])}`];
    }),
  );
  const stated = (await marksOf(stack, site)).flatMap(({ partition, mark }) =>
    mark.dead.map(({ offset, dlq }) => ({ partition, offset, dlq })),
  );
  expect(new Set(stated.map(({ partition, offset }) => `${partition}/${offset.toString()}`)).size).toBe(
    produced.poison,
  );
  for (const { partition, offset, dlq } of stated)
    expect(recordOf.get(`${dlq.partition}/${dlq.offset.toString()}`)).toBe(`${partition}/${offset.toString()}`);
}, 120_000);
