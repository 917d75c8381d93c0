import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { load, nothing } from '../support/load.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';

let stack: Addresses;
let site: Site;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack);
}, 120_000);
afterAll(async () => {
  await site.close();
});

const kills = 20;

test(`kill -9 at ${kills} random moments under load: every offset is accounted for, every event stored once`, async () => {
  const end = new AbortController();
  const produced = nothing();
  const loading = load(
    stack,
    {
      topic: site.topic,
      count: 1_000_000,
      duplicateEvery: 50,
      poisonEvery: 97,
      batchSize: 50,
      signal: end.signal,
      paced: () => sleep(50),
    },
    produced,
  );
  for (let kill = 0; kill < kills; kill += 1) {
    const running = await site.run();
    await untilStored(running);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 400));
    running.kill('SIGKILL');
    expect((await running.exited).signal).toBe('SIGKILL');
  }
  end.abort();
  await loading;
  const last = await site.run();
  await untilCaughtUp(site);
  last.kill('SIGTERM');
  expect((await last.exited).code).toBe(0);
  const account = await expectAccounted(stack, site, produced);
  expect(produced.records).toBeGreaterThan(1000);
  expect(account.transactions).toBeGreaterThan(BigInt(kills));
}, 600_000);

/** Until this process has written at least one batch. */
const untilStored = async (running: Running): Promise<void> => {
  const stored = async () => {
    const answer = await fetch(`${running.url}/metrics`).catch(() => null);
    const text = (await answer?.text()) ?? '';
    return Number(/^immutrail_stored_total (\d+)/m.exec(text)?.[1] ?? 0) > 0;
  };
  await until(stored, { timeoutMs: 60_000, what: 'the pipeline to store something' }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${running.output()}`);
  });
};
