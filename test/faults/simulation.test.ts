import { expect, test } from '@jest/globals';
import { simulateSeeds } from '../support/simulation/simulate.ts';

// IMMUTRAIL_SEED: the first seed, by chance if left out; IMMUTRAIL_SEEDS: how many.

const seeds = Number(process.env['IMMUTRAIL_SEEDS'] ?? 500);
const first = Number(process.env['IMMUTRAIL_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

test(`${seeds} worlds of chance from a seed by chance on: no promise is broken`, async () => {
  const { transactions } = await simulateSeeds(first, seeds);
  expect(transactions).toBeGreaterThanOrEqual(seeds);
}, 3_600_000);
