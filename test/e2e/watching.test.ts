import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { until } from '../support/until.ts';

let stack: Addresses;
let site: Site;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 4, env: { IMMUTRAIL_LAG_EVERY_MS: '500' } });
}, 120_000);
afterAll(() => site.close());

const samplesOf = async ({ url }: Running): Promise<ReadonlyMap<string, number>> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
};
const total = (samples: ReadonlyMap<string, number>, name: string): number =>
  [...samples].filter(([sample]) => sample.split('{')[0] === name).reduce((sum, [, value]) => sum + value, 0);

test('what operators watch is true: a backlog with its age, what became of it, and the stop', async () => {
  const produced = await site.command([
    'produce',
    '--count',
    '300',
    '--poison',
    '6',
    '--duplicates',
    '9',
    '--seed',
    '1',
  ]);
  expect(produced).toMatchObject({ code: 0 });
  // So slow a rate that the backlog can be seen.
  const running = await site.run({ IMMUTRAIL_LEDGER_CALLS_PER_SECOND: '1', IMMUTRAIL_BATCH_MAX_EVENTS: '40' });
  await running.ready();
  await until(
    async () => {
      const samples = await samplesOf(running);
      return total(samples, 'kafka_consumergroup_lag_sum') > 0 && total(samples, 'immutrail_lag_seconds') > 0;
    },
    { timeoutMs: 30_000, what: 'the lag to be seen while it is there' },
  );
  await until(
    async () => {
      const samples = await samplesOf(running);
      return total(samples, 'immutrail_stored_total') === 300 && total(samples, 'kafka_consumergroup_lag_sum') === 0;
    },
    { timeoutMs: 60_000, what: 'everything to be stored and the lag to be 0' },
  );
  const samples = await samplesOf(running);
  expect(total(samples, 'immutrail_duplicates_total')).toBe(9);
  expect(total(samples, 'immutrail_dead_letters_total')).toBe(6);
  expect(total(samples, 'immutrail_dead_letters_sent_total')).toBe(6);
  expect(samples.get('immutrail_dead_letters_total{code="other"}')).toBeUndefined();
  expect(total(samples, 'immutrail_batch_events_sum')).toBe(315);
  expect(total(samples, 'immutrail_rate_limit_wait_seconds_total')).toBeGreaterThan(1);
  expect(total(samples, 'immutrail_lag_seconds')).toBe(0);
  expect(total(samples, 'immutrail_trusted_transaction')).toBeGreaterThan(5);
  expect(total(samples, 'immutrail_since_last_commit_seconds')).toBeLessThan(30);
  expect(total(samples, 'immutrail_queue_records')).toBe(0);
  expect(total(samples, 'immutrail_writes_in_flight')).toBe(0);
  expect(total(samples, 'immutrail_ready')).toBe(1);
  expect(total(samples, 'immutrail_partitions_assigned')).toBe(4);
  expect(total(samples, 'kafka_topic_partition_current_offset')).toBe(
    total(samples, 'kafka_consumergroup_current_offset'),
  );

  running.kill('SIGTERM');
  expect(await running.exited).toEqual({ code: 0, signal: null });
  const lines = running
    .output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['started', 'ready', 'stopping', 'not ready']));
  // Quiet: a line for each transaction would be a hundred.
  expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  expect(lines.length).toBeLessThan(60);
}, 180_000);
