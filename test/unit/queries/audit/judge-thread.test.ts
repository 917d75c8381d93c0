import { afterAll, expect, test } from '@jest/globals';
import { PipelineError } from '../../../../src/errors.ts';
import { contentsOf } from '../../../../src/queries/audit/contents.ts';
import { judgeHere } from '../../../../src/queries/audit/judge.ts';
import { judgeThread } from '../../../../src/queries/audit/judge-thread.ts';
import type { Tx } from '../../../../src/sinks/immudb/answers.ts';
import type { LedgerClient } from '../../../../src/sinks/immudb/client.ts';
import { clientOf, memoryWriter, newMemoryLedger, txsOf } from '../../../support/memory-ledger.ts';
import { spanOf, storedAt } from '../../../support/sink-ledger.ts';

const thread = judgeThread();
afterAll(() => thread.close());

const txs = async (): Promise<readonly Tx[]> => {
  const ledger = newMemoryLedger();
  const write = memoryWriter(ledger);
  await write([
    spanOf(0, 7n, [storedAt(0, 7n, { correlation_id: 'rr-ä' }), storedAt(0, 8n), storedAt(0, 9n, { actor_id: '' })]),
    spanOf(2, 0n, [storedAt(2, 0n, { event_data: { text: 'ä'.repeat(3000) } })]),
  ]);
  return await (clientOf(txsOf(ledger.contents)) as LedgerClient).txScan(1n, 10, 'raw');
};

const judgedBoth = async (tx: Tx) => {
  const contents = contentsOf(tx, { add: () => undefined });
  const [there, here] = await Promise.all([thread.judge(tx, contents), judgeHere(tx, contents)]);
  expect(there).toEqual(here);
  return there;
};

test('the thread says the same as is said here, and that an honest transaction is in order', async () => {
  for (const tx of await txs()) {
    const verdict = await judgedBoth(tx);
    expect(verdict).toMatchObject({ isRooted: true, faulty: [], faults: [] });
  }
});

test('so it does of transactions with any one byte changed', async () => {
  const tx = (await txs()).at(-1);
  if (tx === undefined) throw new Error('no transaction');
  let wrong = 0;
  for (const [at, entry] of tx.entries.entries()) {
    for (let byte = 1; byte < entry.storedValue.length; byte += 41) {
      const storedValue = Buffer.from(entry.storedValue);
      storedValue[byte] = (storedValue[byte] ?? 0) ^ 1;
      const { isRooted } = await judgedBoth({ ...tx, entries: tx.entries.with(at, { ...entry, storedValue }) });
      if (!isRooted) wrong += 1;
      else throw new Error(`byte ${byte} of entry ${at} was changed, and its root is right`);
    }
  }
  expect(wrong).toBeGreaterThan(100);
});

test('an entry with metadata is judged, too', async () => {
  const [tx] = await txs();
  if (tx === undefined) throw new Error('no transaction');
  const entries = tx.entries.map((entry) => ({ ...entry, metadata: { nonIndexable: true } }));
  expect((await judgedBoth({ ...tx, entries })).isRooted).toBe(false);
});

test('what is asked of a thread that has ended rejects', async () => {
  const [tx] = await txs();
  const ended = judgeThread();
  await ended.close();
  if (tx === undefined) throw new Error('no transaction');
  await expect(ended.judge(tx, contentsOf(tx, { add: () => undefined }))).rejects.toThrow(PipelineError);
});
