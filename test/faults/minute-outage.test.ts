import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack } from '../../stack/start.ts';
import type { Stack } from '../../stack/stack.ts';
import { load, nothing } from '../support/load.ts';
import { openSite, type Running, type Site } from '../support/pipeline-process.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';
import { lettersOnTopic } from '../support/site-kafka.ts';
import { until } from '../support/until.ts';

// immudb is gone for a whole minute, longer than sessions and rebalances last, under load and under two instances. The
// outages of test/e2e are shorter.

const outageMs = 60_000;

let stack: Stack;
let site: Site;
beforeAll(async () => {
  stack = await startStack({ kafka: { properties: { 'group.min.session.timeout.ms': '1000' } } });
  site = await openSite(stack, { env: { IMMUTRAIL_LEDGER_DEADLINE_MS: '2000' } });
}, 180_000);
afterAll(async () => {
  await site.close();
  await stack.stop();
}, 60_000);

const readyz = async ({ url }: Running) => {
  const answer = await fetch(`${url}/readyz`);
  return { status: answer.status, text: await answer.text() };
};

const isLive = async ({ url }: Running) => (await fetch(`${url}/livez`)).status === 200;

const becomes = (running: Running, wanted: number) =>
  until(async () => (await readyz(running)).status === wanted, { timeoutMs: 60_000, what: `readiness ${wanted}` });

test('immudb gone for a minute under load and two instances: held, not ready and why, nothing dead-lettered, all accounted for', async () => {
  const produced = nothing();
  const end = new AbortController();
  const instances = [await site.run({}, 'a'), await site.run({}, 'b')];
  for (const running of instances) await running.ready();
  const options = { topic: site.topic, count: 1_000_000, duplicateEvery: 50, batchSize: 50, signal: end.signal };
  const loading = load(stack, { ...options, paced: () => sleep(40) }, produced);
  await sleep(3000);

  await stack.immudb.server.kill();
  const before = produced.records;
  for (const running of instances) await becomes(running, 503);
  const over = performance.now() + outageMs;
  while (performance.now() < over) {
    for (const running of instances) {
      expect([await isLive(running), await readyz(running)]).toEqual([
        true,
        { status: 503, text: expect.stringMatching(/LEDGER_(UNAVAILABLE|TIMEOUT)/) },
      ]);
    }
    await sleep(2000);
  }
  expect(produced.records).toBeGreaterThan(before + 1000);
  expect(await lettersOnTopic(stack, site)).toBe(0);

  await stack.immudb.server.start();
  for (const running of instances) await becomes(running, 200);
  end.abort();
  await loading;
  await untilCaughtUp(site);
  for (const running of instances) {
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
  }
  const account = await expectAccounted(stack, site, produced);
  expect(account.deadByCode.size).toBe(0);
  expect(await lettersOnTopic(stack, site)).toBe(0);
}, 600_000);
