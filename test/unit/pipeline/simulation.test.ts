import { expect, test } from '@jest/globals';
import { simulateSeeds } from '../../support/simulation/simulate.ts';

// Whole runs of the pipeline, its batcher and the writer over simulated brokers and a simulated server, in time that
// passes by itself. The same seeds each time; test/faults goes on with others.

test('worlds of chance: every offset once, every event once, no outage buries, no commit runs ahead, all is covered in the end', async () => {
  const { transactions, stored } = await simulateSeeds(1, 30);
  expect(transactions).toBeGreaterThan(500);
  expect(stored).toBeGreaterThan(1000);
}, 120_000);
