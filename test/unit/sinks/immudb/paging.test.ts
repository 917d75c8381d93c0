import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LedgerError } from '../../../../src/sinks/immudb/errors.ts';
import { readPages } from '../../../../src/sinks/immudb/paging.ts';

const tooLarge = (): LedgerError => new LedgerError('LEDGER_ANSWER_TOO_LARGE', 'x', { outcome: 'unknown' });

describe('pages', () => {
  test('bring every item once and in order, whatever fits into an answer', async () => {
    const cases = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 60 }),
      total: fc.nat(80),
      page: fc.integer({ min: 1, max: 30 }),
      room: fc.integer({ min: 10, max: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(cases, async ({ sizes, total, page, room }) => {
        const read = (at: number, count: number) => {
          const taken = sizes.slice(at, at + count);
          if (taken.reduce((sum, size) => sum + size, 0) > room) return Promise.reject(tooLarge());
          const items = taken.map((_, i) => at + i);
          return Promise.resolve({ items, more: items.length === count });
        };
        const all = sizes.map((_, i) => i);
        expect(await readPages(total, page, read)).toEqual(all.slice(0, total));
      }),
    );
  });

  test('one item too large alone is refused', async () => {
    let calls = 0;
    const read = () => {
      calls += 1;
      return Promise.reject(tooLarge());
    };
    await expect(readPages(8, 8, read)).rejects.toMatchObject({ code: 'LEDGER_ANSWER_TOO_LARGE' });
    expect(calls).toBe(4);
  });

  test('other errors end the reading at once', async () => {
    let calls = 0;
    const read = () => {
      calls += 1;
      return Promise.reject(new LedgerError('LEDGER_UNAVAILABLE', 'x', { outcome: 'unknown' }));
    };
    await expect(readPages(8, 4, read)).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' });
    expect(calls).toBe(1);
  });

  test('nothing asked for, nothing read', async () => {
    expect(await readPages(0, 4, () => Promise.reject(new Error('read')))).toEqual([]);
  });
});
