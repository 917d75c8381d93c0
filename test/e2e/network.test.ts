import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Stack } from '../../stack/stack.ts';
import { load, nothing, testKafka, type Produced } from '../support/load.ts';
import { openSite, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';
import { wayToImmudb, type HurtWay } from '../support/toxiproxy.ts';
import { until } from '../support/until.ts';

// An outage of immudb holds the records back; it never makes a dead letter of one.

let stack: Stack;
let site: Site;
let way: HurtWay;
let running: Running;
const produced: Produced = nothing();
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 4 });
  way = await wayToImmudb(stack, site.database);
  running = await site.run({
    IMMUTRAIL_LEDGER_HOST: way.host,
    IMMUTRAIL_LEDGER_PORT: String(way.port),
    IMMUTRAIL_LEDGER_DEADLINE_MS: '1000',
    IMMUTRAIL_LEDGER_BACKOFF_MAX_MS: '500',
    // It is to stay in its group, on a slow machine, too.
    IMMUTRAIL_KAFKA_SESSION_TIMEOUT_MS: '30000',
  });
  await running.ready();
}, 120_000);
afterAll(async () => {
  await site.close();
  await way.close();
});

/** Load goes on before, while and after. */
const underLoad = async (work: () => Promise<void>): Promise<void> => {
  const end = new AbortController();
  const options = { topic: site.topic, count: 1_000_000, duplicateEvery: 40, poisonEvery: 101, batchSize: 50 };
  const loading = load(stack, { ...options, signal: end.signal, paced: () => sleep(30) }, produced);
  try {
    await work();
  } finally {
    end.abort();
    await loading;
  }
};

const isReady = async (): Promise<boolean> => (await fetch(`${running.url}/readyz`)).status === 200;
const isLive = async (): Promise<boolean> => (await fetch(`${running.url}/livez`)).status === 200;

const retries = (code: string): number =>
  running
    .output()
    .split('\n')
    .filter((line) => line.includes(code)).length;

const latency = (stream: 'upstream' | 'downstream', ms: number) =>
  ({ type: 'latency', stream, attributes: { latency: ms, jitter: 0 } }) as const;

/**
 * `told`: what the process must have met, at first and when it tried again, for the test to be worth anything; it lasts
 * until then. Null: slow is no failure.
 */
const outages: readonly [what: string, hurt: () => Promise<void>, told: RegExp | null][] = [
  ['refused connections', () => way.enable(false), /LEDGER_UNAVAILABLE/],
  ['answers that take 5 s under a deadline of 1 s', () => way.add(latency('downstream', 5000)), /LEDGER_TIMEOUT/],
  ['requests that take 5 s under a deadline of 1 s', () => way.add(latency('upstream', 5000)), /LEDGER_TIMEOUT/],
  [
    'connections reset in the middle of writes',
    async () => {
      for (let cut = 0; cut < 10; cut += 1) {
        await way.add({
          type: 'reset_peer',
          stream: cut % 2 === 0 ? 'upstream' : 'downstream',
          attributes: { timeout: 50 },
        });
        await sleep(300);
        await way.heal();
        await sleep(Math.random() * 300);
      }
    },
    /LEDGER_(UNAVAILABLE|TIMEOUT)/,
  ],
  [
    'answers cut off after a few bytes',
    () => way.add({ type: 'limit_data', stream: 'downstream', attributes: { bytes: 700 } }),
    /LEDGER_(UNAVAILABLE|TIMEOUT)/,
  ],
  [
    'connections that carry nothing',
    () => way.add({ type: 'timeout', stream: 'downstream', attributes: { timeout: 0 } }),
    /LEDGER_TIMEOUT/,
  ],
  [
    'a way of 20 kB/s',
    () => way.add({ type: 'bandwidth', stream: 'upstream', attributes: { rate: 20 } }),
    /LEDGER_TIMEOUT/,
  ],
  ['a way of 300 kB/s', () => way.add({ type: 'bandwidth', stream: 'upstream', attributes: { rate: 300 } }), null],
];

test.each(outages)(
  '%s: the process stays, says so, catches up, and dead-letters nothing',
  async (_, hurt, told) => {
    const before = running.output().length;
    const retriesTold = () =>
      running
        .output()
        .slice(before)
        .split('\n')
        .filter((line) => told?.test(line) === true).length;
    await underLoad(async () => {
      await sleep(500);
      await hurt();
      const said = () => told === null || retriesTold() >= 3;
      await Promise.all([sleep(2500), until(said, { timeoutMs: 60_000, what: `${String(told)} to be said thrice` })]);
      expect(await isLive()).toBe(true);
      await way.heal();
      await sleep(500);
    });
    await untilCaughtUp(site);
    await until(isReady, { timeoutMs: 20_000, what: 'the pipeline to be ready again' });
    const account = await expectAccounted(stack, site, produced);
    expect(Object.fromEntries(account.deadByCode)).toEqual({ JSON_INVALID: produced.poison });
    expect(await lettersOnTopic()).toBe(BigInt(produced.poison));
    expect(retries('partitions assigned')).toBe(1);
  },
  120_000,
);

test('all of that was one process, which stops as if nothing had been', async () => {
  const before = running.output().length;
  running.kill('SIGTERM');
  let code: number | null | undefined;
  void running.exited.then((exit) => (code = exit.code));
  await until(() => code !== undefined, { timeoutMs: 20_000, what: 'the process to end' }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${running.output().slice(before)}`);
  });
  expect(code).toBe(0);
});

const lettersOnTopic = async (): Promise<bigint> => {
  const admin = testKafka(stack).admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(site.deadLetterTopic);
  await admin.disconnect();
  return ends.reduce((sum, { high, low }) => sum + BigInt(high) - BigInt(low), 0n);
};
