import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack } from '../../stack/start.ts';
import type { Stack } from '../../stack/stack.ts';
import { load, nothing } from '../support/load.ts';
import { openSite, type Site } from '../support/pipeline-process.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';

let stack: Stack;
let site: Site;
beforeAll(async () => {
  stack = await startStack({ kafka: { properties: { 'group.min.session.timeout.ms': '1000' } } });
  site = await openSite(stack);
}, 120_000);
afterAll(async () => {
  await site.close();
  await stack.stop();
}, 60_000);

test('outages of immudb and of the broker, killed and stopped, under load and idle: held, and nothing is dead-lettered', async () => {
  const end = new AbortController();
  const produced = nothing();
  const options = { topic: site.topic, count: 1_000_000, duplicateEvery: 50, batchSize: 50 };
  const running = await site.run({ IMMUTRAIL_LEDGER_DEADLINE_MS: '2000' });
  await running.ready();
  const status = async () => (await fetch(`${running.url}/readyz`).catch(() => null))?.status;
  const becomes = (wanted: number) =>
    until(async () => (await status()) === wanted, { timeoutMs: 60_000, what: `readiness ${wanted}` }).catch(
      async (error: unknown) => {
        const reasons = await fetch(`${running.url}/readyz`).then(
          (answer) => answer.text(),
          (failure: unknown) => String(failure),
        );
        throw new Error(`${String(error)}\n${reasons}\n${running.output().slice(-5000)}`);
      },
    );

  // Idle: a look at the ledger tells.
  await stack.immudb.server.kill();
  await becomes(503);
  await stack.immudb.server.start();
  await becomes(200);

  const loading = load(stack, { ...options, signal: end.signal, paced: () => sleep(30) }, produced);
  await stack.immudb.server.kill();
  await becomes(503);
  await sleep(5000);
  await stack.immudb.server.start();
  await becomes(200);
  await stack.immudb.server.pause();
  await becomes(503);
  await sleep(5000);
  await stack.immudb.server.resume();
  await becomes(200);
  await sleep(2000);
  end.abort();
  await loading;
  const [broker] = stack.kafka.servers;
  await broker?.stop();
  await sleep(3000);
  await broker?.start();
  await load(stack, { ...options, count: 500 }, produced);
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
  const account = await expectAccounted(stack, site, produced);
  expect(account.deadByCode.size).toBe(0);
}, 300_000);
