import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { dlqOf } from '../support/dlq-desk.ts';
import { testEvent, testKafka } from '../support/load.ts';
import { openSite, type Addresses, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';

let stack: Addresses;
const sites: Site[] = [];
beforeAll(async () => {
  stack = await sharedStack();
}, 120_000);
afterAll(async () => {
  for (const site of sites) await site.close();
});

const open = async (options: Parameters<typeof openSite>[1]): Promise<Site> => {
  const site = await openSite(stack, options);
  sites.push(site);
  return site;
};

const send = async (site: Site, messages: readonly { readonly partition: number; readonly value: string }[]) => {
  const producer = testKafka(stack).producer();
  await producer.connect();
  await producer.send({ topic: site.topic, messages: [...messages] });
  await producer.disconnect();
};

const idOf = (event: Readonly<Record<string, unknown>>) => String(event['event_id']);

test('a bad deploy trips the breaker: held and said so, nothing buried; released by a person, neighbours are stored', async () => {
  const site = await open({ partitions: 2, env: { IMMUTRAIL_BREAKER_MAX_RUN: '50' } });
  const desk = dlqOf(site);
  const good = Array.from({ length: 20 }, () => testEvent());
  const other = Array.from({ length: 20 }, () => testEvent());
  const wrong = Array.from({ length: 200 }, () => testEvent({ event_outcome: 'SUCCESS' }));
  await send(site, [
    ...other.map((event) => ({ partition: 1, value: JSON.stringify(event) })),
    ...[...good.slice(0, 10), ...wrong, ...good.slice(10)].map((event) => ({
      partition: 0,
      value: JSON.stringify(event),
    })),
  ]);
  const running = await site.run();
  const readyz = async () => (await (await fetch(`${running.url}/readyz`).catch(() => null))?.text()) ?? '';
  await until(async () => (await readyz()).includes('immutrail breaker'), { timeoutMs: 60_000, what: 'the hold' });
  const held = (await desk.json('breaker'))['held'];
  expect(held).toMatchObject([{ partition: 0, why: expect.stringContaining('in a row') as unknown }]);
  expect(await desk.json('dlq', 'status')).toMatchObject({ depth: 0 });
  await until(async () => (await accountSite(stack, site)).events.size >= other.length, {
    what: 'the other partition',
  });

  // Another instance agrees: the hold lies in the ledger.
  running.kill('SIGTERM');
  await running.exited;
  const second = await site.run();
  const reason = ['--by', 'ada', '--why', 'release 7, ticket 4711'];
  expect(await desk.command(['breaker', 'release', '1', ...reason])).toMatchObject({ code: 2 });
  expect(await desk.command(['breaker', 'release', '--by', 'immutrail', '--why', 'x'])).toMatchObject({ code: 2 });
  expect((await desk.json('breaker', 'release', ...reason))['released']).toMatchObject([{ partition: 0 }]);
  expect((await desk.json('breaker'))['held']).toEqual([]);
  await second.ready();
  await untilCaughtUp(site);
  expect(await desk.json('dlq', 'status')).toMatchObject({ depth: 200, depthByCode: { OUTCOME_INVALID: 200 } });
  const account = await accountSite(stack, site);
  expect([...good, ...other].filter((event) => !account.events.has(idOf(event)))).toEqual([]);
  expect(account.partitions.map(({ next }) => next)).toEqual([220n, 20n]);
  second.kill('SIGTERM');
  expect((await second.exited).code).toBe(0);
}, 240_000);

test('a database with small values: what it refuses by itself is a dead letter in its own words, its neighbours are stored', async () => {
  const site = await open({ partitions: 1, init: false });
  const { host, port, username, passwordFile } = stack.immudb;
  const admin = await openLedgerAdmin({
    ...{ host, port, username, password: passwordFromFile(passwordFile), database: 'defaultdb' },
  });
  await admin.createDatabase(site.database, { maxTxEntries: 1024, maxValueLen: 16_384 }).finally(() => admin.close());
  const made = await site.command(['--json', 'init', '--partitions', '1']);
  const { genesis } = JSON.parse(made.out) as { genesis: string };
  const small = Array.from({ length: 30 }, () => testEvent());
  const large = Array.from({ length: 3 }, () =>
    testEvent({ event_type: 'load.note.taken', event_data: { note: 'x'.repeat(20_000) } }),
  );
  const all = [...small.slice(0, 11), ...large.slice(0, 2), ...small.slice(11), ...large.slice(2)];
  await send(
    site,
    all.map((event) => ({ partition: 0, value: JSON.stringify(event) })),
  );
  // Then a batch in which every single one is refused.
  const none = Array.from({ length: 7 }, () =>
    testEvent({ event_type: 'load.note.taken', event_data: { note: 'y'.repeat(20_000) } }),
  );
  await send(
    site,
    none.map((event) => ({ partition: 0, value: JSON.stringify(event) })),
  );
  const running = await site.run({ IMMUTRAIL_LEDGER_GENESIS: genesis });
  await running.ready();
  await untilCaughtUp(site);
  const { json } = dlqOf(site);
  const letters = (await json('dlq', 'list'))['letters'] as Readonly<Record<string, unknown>>[];
  expect(letters.map(({ eventId }) => eventId).sort()).toEqual([...large, ...none].map(idOf).sort());
  for (const letter of letters) {
    expect(letter).toMatchObject({ code: 'LEDGER_REFUSED', readable: true });
    expect(letter['message']).toMatch(/max value length exceeded/);
  }
  const account = await accountSite(stack, site);
  expect([...account.events.keys()].sort()).toEqual(small.map(idOf).sort());
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
}, 180_000);
