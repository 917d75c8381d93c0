import { expect, test } from '@jest/globals';
import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { dlqOf } from '../support/dlq-desk.ts';
import { testEvent } from '../support/load.ts';
import { actsOf } from '../support/operator-acts.ts';
import { idOf, ownSites, spread } from '../support/own-sites.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';

const { stack, open, send } = ownSites();

test('a bad deploy trips the breaker: held and said so, nothing buried; released by a person, neighbours are stored', async () => {
  const site = await open({ partitions: 2, env: { IMMUTRAIL_BREAKER_MAX_RUN: '50' } });
  const desk = dlqOf(site);
  const good = Array.from({ length: 20 }, () => testEvent());
  const other = Array.from({ length: 20 }, () => testEvent());
  const wrong = Array.from({ length: 200 }, () => testEvent({ event_outcome: 'SUCCESS' }));
  await send(site, [
    ...other.map((event) => ({ partition: 1, value: JSON.stringify(event) })),
    ...spread([...good.slice(0, 10), ...wrong, ...good.slice(10)], 1),
  ]);
  const running = await site.run();
  const readyz = async () => (await (await fetch(`${running.url}/readyz`).catch(() => null))?.text()) ?? '';
  await until(async () => (await readyz()).includes('immutrail breaker'), { timeoutMs: 60_000, what: 'the hold' });
  const held = (await desk.json('breaker'))['held'];
  expect(held).toMatchObject([{ partition: 0, why: expect.stringContaining('in a row') as unknown }]);
  expect(await desk.json('dlq', 'status')).toMatchObject({ depth: 0 });
  await until(async () => (await accountSite(stack(), site)).events.size >= other.length, {
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
  const account = await accountSite(stack(), site);
  expect([...good, ...other].filter((event) => !account.events.has(idOf(event)))).toEqual([]);
  // What was sent, and the two events of the one act that released something.
  expect(account.offsets).toBe(220n + 20n + 2n);
  const acts = await actsOf(stack(), site);
  expect(acts.map(({ event_type: type, event_outcome: outcome }) => [type, outcome])).toEqual([
    ['breaker.release.started', 'pending'],
    ['breaker.release.finished', 'success'],
  ]);
  for (const { actor_id: by, event_data: data } of acts) {
    expect(by).toBe('ada');
    expect(data).toMatchObject({ why: 'release 7, ticket 4711', held: [{ partition: 0 }] });
  }
  expect(acts[1]?.event_data).toMatchObject({ released: [{ partition: 0 }] });
  second.kill('SIGTERM');
  expect((await second.exited).code).toBe(0);
}, 240_000);

test('a database with small values: what it refuses by itself is a dead letter in its own words, its neighbours are stored', async () => {
  const site = await open({ partitions: 1, init: false });
  const { host, port, username, passwordFile } = stack().immudb;
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
  await send(site, spread(all, 1));
  // Then a batch in which every single one is refused.
  const none = Array.from({ length: 7 }, () =>
    testEvent({ event_type: 'load.note.taken', event_data: { note: 'y'.repeat(20_000) } }),
  );
  await send(site, spread(none, 1));
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
  const account = await accountSite(stack(), site);
  expect([...account.events.keys()].sort()).toEqual(small.map(idOf).sort());
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
}, 180_000);
