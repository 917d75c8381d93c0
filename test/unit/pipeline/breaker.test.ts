import { expect, test } from '@jest/globals';
import { breaker } from '../../../src/pipeline/breaker.ts';

const records = (first: number, pattern: string) =>
  Array.from(pattern).map((one, index) => ({ offset: BigInt(first + index), isDead: one === 'x' }));
const weigh = (one: ReturnType<typeof breaker>, first: number, pattern: string, partition = 0) =>
  one.weigh(partition, BigInt(first), records(first, pattern));

const byRun = () => breaker({ window: 1000, maxSharePercent: 100, maxRun: 3 });

test('a run of dead records trips it, over several batches; a good one between them begins anew', () => {
  const one = byRun();
  expect(weigh(one, 0, 'xx.xxx')).toBeNull();
  expect(weigh(one, 6, '.xxx')).toBeNull();
  expect(weigh(one, 10, 'x')).toMatch(/^4 records in a row .* offset 10$/);
});

test('a share of a window trips it', () => {
  const one = breaker({ window: 10, maxSharePercent: 40, maxRun: 100 });
  expect(weigh(one, 0, 'x.x.x.x...')).toBeNull();
  expect(weigh(one, 10, 'x.x.x.x.x')).toMatch(/^5 of 9 records/);
});

test('a batch that is composed anew is weighed once', () => {
  const one = byRun();
  for (let round = 0; round < 10; round += 1) expect(weigh(one, 0, 'xx')).toBeNull();
  expect(weigh(one, 2, 'x')).toBeNull();
  // The first turned out to be conflicts after the second was composed.
  expect(weigh(one, 0, '..')).toBeNull();
  expect(weigh(one, 2, 'xxx')).toBeNull();
  expect(weigh(one, 5, 'x')).not.toBeNull();
});

test('partitions are weighed apart', () => {
  const one = byRun();
  expect(weigh(one, 0, 'xxx', 0)).toBeNull();
  expect(weigh(one, 0, 'xxx', 1)).toBeNull();
  expect(weigh(one, 3, 'x', 1)).not.toBeNull();
  expect(weigh(one, 3, '.', 0)).toBeNull();
});

test('released, what lay there passes, and what comes after is weighed again', () => {
  const one = byRun();
  expect(weigh(one, 0, 'xxxx')).not.toBeNull();
  one.release(0, 10n);
  expect(weigh(one, 0, 'xxxxxxxxxxxxx')).toBeNull();
  expect(weigh(one, 13, 'x')).not.toBeNull();
});
