import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { load, nothing, type Produced } from '../support/load.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';

let stack: Addresses;
let site: Site;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack);
}, 120_000);
afterAll(() => site.close());

const stopped = async (running: Running) => {
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
};

/** Load that goes on until the work is done. */
const underLoad = async (work: () => Promise<void>): Promise<Produced> => {
  const end = new AbortController();
  const produced = nothing();
  const options = { topic: site.topic, count: 1_000_000, duplicateEvery: 40, poisonEvery: 101, batchSize: 50 };
  const loading = load(stack, { ...options, signal: end.signal, paced: () => sleep(40) }, produced);
  try {
    await work();
  } finally {
    end.abort();
    await loading;
  }
  return produced;
};

test('instances join, leave and sleep through a rebalance under load: nothing is lost, nothing stored twice', async () => {
  const last: Running[] = [];
  const produced = await underLoad(async () => {
    const a = await site.run({}, 'a');
    await a.ready();
    const b = await site.run({}, 'b');
    await b.ready();
    await sleep(2000);
    const c = await site.run({}, 'c');
    await c.ready();
    await sleep(2000);
    // Asleep for longer than its session: its partitions move, and what it still holds must be refused.
    b.kill('SIGSTOP');
    await sleep(6000);
    b.kill('SIGCONT');
    await sleep(3000);
    await stopped(a);
    await sleep(1500);
    c.kill('SIGKILL');
    await c.exited;
    await stopped(b);
    const d = await site.run({}, 'd');
    await d.ready();
    last.push(d);
  });
  await untilCaughtUp(site);
  for (const running of last) await stopped(running);
  await expectAccounted(stack, site, produced);
  expect(produced.records).toBeGreaterThan(2000);
}, 240_000);
