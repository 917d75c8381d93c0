import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startStack } from '../../stack/start.ts';
import type { Stack } from '../../stack/stack.ts';
import { load, nothing } from '../support/load.ts';
import { openSite, type Running, type Site } from '../support/pipeline-process.ts';
import { expectAccounted, untilCaughtUp } from '../support/site-account.ts';
import { lettersOnTopic, withAdmin } from '../support/site-kafka.ts';
import { until } from '../support/until.ts';

// An upgrade of the Kafka cluster: one broker after the other is stopped and started again while services produce.
// Partitions change their leader, the group its coordinator, the dead-letter topic its replicas.

let stack: Stack;
let site: Site;
beforeAll(async () => {
  const properties = { 'group.min.session.timeout.ms': '1000' };
  stack = await startStack({ kafka: { brokers: 3, properties } });
  site = await openSite(stack, { env: { IMMUTRAIL_KAFKA_SESSION_TIMEOUT_MS: '6000' } });
}, 180_000);
afterAll(async () => {
  await site.close();
  await stack.stop();
}, 120_000);

/** Every replica of every partition is in sync: the next broker may go. */
const untilInSync = () =>
  until(
    () =>
      withAdmin(stack, async (admin) => {
        const { topics } = await admin.fetchTopicMetadata({ topics: [site.topic, site.deadLetterTopic] });
        return topics.every(({ partitions }) => partitions.every(({ isr, leader }) => isr.length === 3 && leader >= 0));
      }).catch(() => false),
    { timeoutMs: 120_000, what: 'every replica to be in sync', everyMs: 500 },
  );

const isReady = async ({ url }: Running) => (await fetch(`${url}/readyz`).catch(() => null))?.status === 200;

test('a rolling restart of three brokers under load: every offset accounted for, no dead letter, one process all along', async () => {
  const produced = nothing();
  const end = new AbortController();
  const running = await site.run();
  await running.ready();
  let isOver = false;
  void running.exited.then(() => (isOver = true));
  const options = { topic: site.topic, count: 1_000_000, duplicateEvery: 50, batchSize: 50, signal: end.signal };
  const loading = load(stack, { ...options, paced: () => sleep(40) }, produced);
  loading.catch(() => undefined);
  for (const broker of stack.kafka.servers) {
    const before = produced.records;
    await broker.stop();
    await sleep(3000);
    await broker.start();
    await untilInSync();
    await until(() => isReady(running), { timeoutMs: 60_000, what: `the pipeline to be ready after ${broker.name}` });
    // The load went on, or will: a restart is worth nothing without records.
    await until(() => produced.records > before, { timeoutMs: 60_000, what: 'records to be produced' });
  }
  end.abort();
  await loading;
  await untilCaughtUp(site, 120_000);
  expect(isOver).toBe(false);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
  const account = await expectAccounted(stack, site, produced);
  expect(Object.fromEntries(account.deadByCode)).toEqual({});
  expect(await lettersOnTopic(stack, site)).toBe(0);
  expect(running.output()).not.toContain('halted');
  expect(produced.records).toBeGreaterThan(1000);
}, 600_000);
