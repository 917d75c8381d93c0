import { expect, test } from '@jest/globals';
import { transactionBudget } from '../../../../src/sinks/immudb/budget.ts';
import { compose } from '../../../../src/sinks/immudb/compose.ts';
import { maxTxEntries } from '../../../../src/sinks/immudb/transaction.ts';
import type { Outcome, Span } from '../../../../src/sinks/sink.ts';
import { spanOf, storedAt } from '../../../support/sink-ledger.ts';

const gapSpan = (partition: number): Span => spanOf(partition, 0n, [], [{ from: 0n, to: 1n, reason: 'control' }]);

test.each(['before', 'after'])(
  'partitions that move over gaps alone, %s a partition that fills the rest, are counted',
  async (when) => {
    const budget = transactionBudget({ maxBytes: 1_000_000 });
    const others = Array.from({ length: 40 }, (_, index) => gapSpan(index + 1));
    const spans: Span[] = [];
    const cover = () => {
      for (const span of others) if (budget.cover(span.partition)) spans.push(span);
    };
    if (when === 'before') cover();
    const outcomes: Outcome[] = [];
    for (let offset = 0n; ; offset += 1n) {
      const outcome = storedAt(0, offset);
      if (!budget.take({ partition: 0, bytes: 100, facts: outcome.facts })) break;
      outcomes.push(outcome);
    }
    // The one that did not fit has spent it.
    if (when === 'after') {
      cover();
      expect(spans).toEqual([]);
    }
    const composed = await compose(
      { spans: [...spans, spanOf(0, 0n, outcomes)] },
      { source: 1, deadLetters: 2 },
      'writer',
      () => Promise.resolve(),
    );
    const sealed = composed.seal(new Map());
    expect(sealed.entries).toBeLessThanOrEqual(maxTxEntries);
    expect(outcomes.length).toBeGreaterThan(200);
  },
);
