import { describe, expect, test } from '@jest/globals';
import type { LogBounds } from '../../../src/consumers/source.ts';
import { requireSameLog } from '../../../src/pipeline/survey.ts';

const covered = new Map([
  [0, { next: 10n, last: null }],
  [1, { next: 20n, last: null }],
]);
const topic = (bounds: readonly [number, LogBounds][], clusterId = 'cluster') => ({
  clusterId,
  isCompacted: false,
  partitions: new Map(bounds),
});
const requiring = (bounds: Parameters<typeof topic>[0], clusterId?: string) => () =>
  requireSameLog(covered, topic(bounds, clusterId), 'cluster');

describe('the log that the ledger covers', () => {
  test('may have lost records, and grown', () => {
    const bounds: [number, LogBounds][] = [
      [0, { start: 15n, end: 16n }],
      [1, { start: 0n, end: 20n }],
      [2, { start: 0n, end: 0n }],
    ];
    expect(requiring(bounds)).not.toThrow();
  });

  const grown: [number, LogBounds] = [0, { start: 15n, end: 16n }];
  test.each([
    ['on another cluster', requiring([grown, [1, { start: 0n, end: 20n }]], 'other'), /cluster id is other/],
    ['with a partition that ends too early', requiring([grown, [1, { start: 0n, end: 19n }]]), /ends at 19/],
    ['with fewer partitions', requiring([grown]), /partition 1 is not in the topic/],
  ])('is not one %s, whatever another partition looks like', (_, require, message) => {
    expect(require).toThrow(expect.objectContaining({ code: 'LOG_REPLACED', message: expect.stringMatching(message) }));
  });
});
