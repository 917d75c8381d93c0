import { expect, test } from '@jest/globals';
import { decodeMutated } from '../support/hostile-decoding.ts';

const count = 1_000_000;
const seed = Number(process.env['IMMUTRAIL_SEED'] ?? '1');

test(`${count} mutated records (seed ${seed}): no throw, no hang, bounded memory, every rejection coded`, async () => {
  const result = await decodeMutated(count, seed);
  const rssMiB = process.memoryUsage().rss / 2 ** 20;
  console.log({ ...result, codes: Object.fromEntries(result.codes), rssMiB: Math.round(rssMiB) });
  expect(result.accepted).toBeGreaterThan(0);
  expect(result.codes.size).toBeGreaterThan(15);
  // Garbage collection and a busy machine are in it; a hang would be minutes.
  expect(result.slowestMs).toBeLessThan(5_000);
  expect(rssMiB).toBeLessThan(1_000);
}, 1_800_000);
