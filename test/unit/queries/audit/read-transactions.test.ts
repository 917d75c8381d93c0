import { describe, expect, test } from '@jest/globals';
import { PipelineError, type ErrorCode } from '../../../../src/errors.ts';
import { audit } from '../../../../src/queries/audit.ts';
import { readTransactions, type ReadTx } from '../../../../src/queries/audit/read-transactions.ts';
import type { LedgerClient } from '../../../../src/sinks/immudb/client.ts';
import { LedgerError } from '../../../../src/sinks/immudb/errors.ts';
import { clientOf, newMemoryLedger, txsOf, type AuditedClient } from '../../../support/memory-ledger.ts';

const ledger = (count: number) => {
  const { contents } = newMemoryLedger();
  const [, logs = []] = contents;
  return txsOf([...contents, ...Array.from({ length: count - 2 }, () => logs)]);
};
const fails = (code: ErrorCode) => () => Promise.reject(new LedgerError(code, `met ${code}`, { outcome: 'unknown' }));

const read = async (client: AuditedClient, to: bigint, stalls: string[] = []): Promise<ReadTx[]> => {
  const all: ReadTx[] = [];
  const options = {
    ...{ from: 1n, to, patiently: <T>(_: string, act: () => Promise<T>) => act() },
    onStall: ({ message }: PipelineError) => stalls.push(message),
  };
  for await (const one of readTransactions(client as LedgerClient, options)) all.push(one);
  return all;
};

test('all in order, in pages that grow', async () => {
  const pages: number[] = [];
  const honest = clientOf(ledger(300));
  const client: AuditedClient = {
    ...honest,
    txScan: (from, limit, wanted) => {
      pages.push(limit);
      return honest.txScan(from, limit, wanted);
    },
  };
  const all = await read(client, 300n);
  expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 300 }, (_, at) => BigInt(at + 1)));
  expect(all.every(({ tx, isWhole }) => tx !== null && isWhole)).toBe(true);
  expect(Math.max(...pages)).toBeGreaterThan(64);
  expect(pages.length).toBeLessThan(12);
});

describe('a stalled index', () => {
  test('is told once, and everything is read without it', async () => {
    let scans = 0;
    const client: AuditedClient = {
      ...clientOf(ledger(40)),
      txScan: () => {
        scans += 1;
        return fails('LEDGER_TIMEOUT')();
      },
    };
    const stalls: string[] = [];
    expect((await read(client, 40n, stalls)).filter(({ isWhole }) => isWhole).length).toBe(40);
    expect(stalls).toEqual(['met LEDGER_TIMEOUT']);
    expect(scans).toBeLessThan(8);
  });

  test('is not a page that is late while one header comes', async () => {
    const honest = clientOf(ledger(40));
    const client: AuditedClient = {
      ...honest,
      txScan: (from, limit, wanted) => (limit === 1 ? honest.txScan(from, limit, wanted) : fails('LEDGER_TIMEOUT')()),
    };
    const stalls: string[] = [];
    expect((await read(client, 40n, stalls)).length).toBe(40);
    expect(stalls).toEqual([]);
  });

  test('is in the report', async () => {
    const client = { ...clientOf(ledger(9)), txScan: fails('LEDGER_TIMEOUT') };
    expect((await audit(client as unknown as LedgerClient)).stalledIndex).toBe('met LEDGER_TIMEOUT');
  });
});

describe('a transaction that immudb cannot read', () => {
  /** Transaction 5 gives no more than this. */
  const hurt = (readable: readonly string[]): AuditedClient => {
    const honest = clientOf(ledger(12));
    return {
      ...honest,
      txScan: (from, limit, wanted) =>
        from <= 5n && from + BigInt(limit) > 5n ? fails('LEDGER_CORRUPTED')() : honest.txScan(from, limit, wanted),
      txById: (id, wanted) =>
        id === 5n && !readable.includes(wanted) ? fails('LEDGER_CORRUPTED')() : honest.txById(id, wanted),
    };
  };

  test.each([
    [['digests', 'none'], true],
    [['none'], true],
    [[], false],
  ])('is read as far as it goes (%s)', async (readable, hasHeader) => {
    const all = await read(hurt(readable), 12n);
    expect(all.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, at) => BigInt(at + 1)));
    expect(all[4]).toMatchObject({ isWhole: false, why: 'met LEDGER_CORRUPTED' });
    expect(all[4]?.tx !== null).toBe(hasHeader);
  });

  test.each([
    [['digests', 'none'], 'its values cannot be read: met LEDGER_CORRUPTED'],
    [[], 'it cannot be read: met LEDGER_CORRUPTED'],
  ])('is named, and the chain goes on behind it (%s)', async (readable, what) => {
    const { deviations, transactions } = await audit(hurt(readable) as LedgerClient);
    // The fixture opens the same logs again and again: these are other deviations.
    const own = deviations.listed.filter(({ kind }) => kind !== 'written-again');
    expect(own).toEqual([{ kind: 'unreadable', tx: 5n, key: null, what }]);
    expect(transactions.of).toBe(12);
  });

  test('one that is not there is named, too', async () => {
    const short = clientOf(ledger(9));
    const state = await clientOf(ledger(10)).currentState();
    const client = { ...short, currentState: () => Promise.resolve(state) };
    const { deviations } = await audit(client as LedgerClient);
    expect(deviations.listed.filter(({ kind }) => kind !== 'written-again')).toEqual([
      { kind: 'unreadable', tx: 10n, key: null, what: 'it cannot be read: immudb has no transaction of this id' },
      { kind: 'trust', tx: null, key: null, what: 'the state that immudb gives is not that of its last transaction' },
    ]);
  });
});

test('what waiting mends is tried again, by who knows how', async () => {
  let tries = 0;
  const honest = clientOf(ledger(5));
  const client: AuditedClient = {
    ...honest,
    txScan: (from, limit, wanted) =>
      (tries += 1) === 1 ? fails('LEDGER_UNAVAILABLE')() : honest.txScan(from, limit, wanted),
  };
  const patiently = <T>(_: string, act: () => Promise<T>) => act().catch(act);
  const all: bigint[] = [];
  const options = { from: 1n, to: 5n, patiently, onStall: () => undefined };
  for await (const { id } of readTransactions(client as LedgerClient, options)) all.push(id);
  expect(all).toEqual([1n, 2n, 3n, 4n, 5n]);
  await expect(read({ ...honest, txScan: fails('LEDGER_UNAVAILABLE') }, 5n)).rejects.toMatchObject({
    code: 'LEDGER_UNAVAILABLE',
  });
});
