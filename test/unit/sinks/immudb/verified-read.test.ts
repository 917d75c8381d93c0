import { describe, expect, test } from '@jest/globals';
import type { VerifiableTx } from '../../../../src/sinks/immudb/answers.ts';
import { proveExtends } from '../../../../src/sinks/immudb/prove-extends.ts';
import { verifiedReads } from '../../../../src/sinks/immudb/verified-read.ts';
import type { ChainState } from '../../../../src/proofs/chain.ts';
import { referenceSource } from '../../../fakes/reference-source.ts';
import { referenceLedger, type ReferenceLedger } from '../../../support/reference-ledger.ts';

const entry = (text: string) => ({
  key: Buffer.from(`event/${text}`),
  value: Buffer.from(`value of ${text}`),
  metadata: null,
});
const ledgerOfSize = (size: number, forgedAt = size) =>
  referenceLedger(
    Array.from({ length: size }, (_, i) =>
      [1, 2, 3, 4, 5].map((n) => entry(`${i + 1}.${n}${i < forgedAt ? '' : ' forged'}`)),
    ),
  );
const hashOf = (ledger: ReferenceLedger, id: number): ChainState => ({
  id: BigInt(id),
  alh: ledger.tx(id).alh,
  frontier: null,
});

type Given = {
  ledger?: ReferenceLedger;
  trusted?: ChainState;
  lie?: (answer: VerifiableTx) => VerifiableTx;
  maxTransactions?: number;
};

const readsOver = ({ ledger = ledgerOfSize(20), lie, maxTransactions, ...given }: Given = {}) => {
  let trusted = given.trusted ?? hashOf(ledger, ledger.txs.length);
  const { source, calls } = referenceSource(() => ledger, lie);
  const reads = verifiedReads({
    source,
    trusted: () => trusted,
    advance: async () => (trusted = await proveExtends(source, trusted)),
    ...(maxTransactions === undefined ? {} : { maxTransactions }),
  });
  return { reads, calls, trusted: () => trusted };
};

describe('an entry as it was served', () => {
  test.each([1n, 7n, 20n])('is proven in transaction %s', async (tx) => {
    const { reads } = readsOver();
    for (const n of [1, 2, 3, 4, 5]) await reads.verifyEntry({ ...entry(`${tx}.${n}`), tx });
  });

  const good = { ...entry('7.2'), tx: 7n };
  test.each([
    ['another value', { ...good, value: Buffer.from('value of 7.3') }],
    ['another key', { ...good, key: Buffer.from('event/7.3') }],
    ['metadata', { ...good, metadata: { deleted: true } }],
    ['another transaction', { ...good, tx: 8n }],
  ])('is refused with %s', async (_, served) => {
    const { reads } = readsOver();
    await expect(reads.verifyEntry(served)).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
    await reads.verifyEntry(good);
  });

  test('is refused when its transaction was rewritten on the disk, although its state is the same', async () => {
    const honest = ledgerOfSize(20);
    const forged = ledgerOfSize(7, 6).tx(7);
    const { dualProof } = honest;
    const ledger = {
      txs: honest.txs.with(6, forged),
      tx: (id: number) => (id === 7 ? forged : honest.tx(id)),
      dualProof: (s: number, t: number) => (s === 7 ? { ...dualProof(s, t), source: forged.header } : dualProof(s, t)),
    };
    const { reads } = readsOver({ ledger });
    await expect(reads.verifyEntry({ ...entry('7.2 forged'), tx: 7n })).rejects.toMatchObject({
      code: 'LEDGER_PROOF_FAILED',
    });
    await reads.verifyEntry({ ...entry('8.2'), tx: 8n });
  });

  test('is refused when entries are left out, added or changed beside an honest proof', async () => {
    const lies: ((entries: VerifiableTx['tx']['entries']) => VerifiableTx['tx']['entries'])[] = [
      (entries) => entries.slice(1),
      (entries) => [...entries, entries[0]!],
      (entries) => entries.toReversed(),
      (entries) => entries.with(0, { ...entries[0]!, hValue: Buffer.alloc(32) }),
      (entries) => entries.with(0, { ...entries[0]!, metadata: { nonIndexable: true } }),
    ];
    for (const change of lies) {
      const { reads } = readsOver({
        lie: ({ tx, ...rest }) => ({ ...rest, tx: { ...tx, entries: change(tx.entries) } }),
      });
      await expect(reads.verifyEntry(good)).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
    }
  });

  test('is proven by the header in the proof, whatever stands beside the entries', async () => {
    const { reads } = readsOver({
      lie: ({ tx, ...rest }) => ({ ...rest, tx: { ...tx, header: { ...tx.header, ts: 0n } } }),
    });
    await reads.verifyEntry(good);
    expect((await reads.verifiedTx(7n)).header.ts).toBe(1_700_000_006n);
  });
});

describe('a transaction beyond what is trusted', () => {
  test('moves the trust forward first', async () => {
    const ledger = ledgerOfSize(20);
    const { reads, calls, trusted } = readsOver({ ledger, trusted: hashOf(ledger, 5) });
    await Promise.all([9n, 12n, 20n].map((tx) => reads.verifyEntry({ ...entry(`${tx}.1`), tx })));
    expect(trusted().id).toBe(20n);
    expect(Buffer.from(trusted().alh).equals(ledger.tx(20).alh)).toBe(true);
    expect(calls).toEqual({ currentState: 1, verifiableTxById: 4 });
  });

  test('that was written while the trust was moving forward moves it once more', async () => {
    const ledgers = [ledgerOfSize(8), ledgerOfSize(12)] as const;
    let present: ReferenceLedger = ledgers[0];
    let trusted = hashOf(present, 5);
    const { source, calls } = referenceSource(() => present);
    const looked = Promise.withResolvers<undefined>();
    const goOn = Promise.withResolvers<undefined>();
    const advance = async () => {
      const proven = await proveExtends(source, trusted);
      looked.resolve(undefined);
      await goOn.promise;
      return (trusted = proven);
    };
    const reads = verifiedReads({ source, trusted: () => trusted, advance });
    const early = reads.verifyEntry({ ...entry('7.1'), tx: 7n });
    await looked.promise;
    present = ledgers[1];
    const late = [9n, 12n].map((tx) => reads.verifyEntry({ ...entry(`${tx}.1`), tx }));
    goOn.resolve(undefined);
    await Promise.all([early, ...late]);
    expect([trusted.id, calls.currentState]).toEqual([12n, 2]);
  });

  test('is refused where the ledger ends before it', async () => {
    const { reads } = readsOver();
    await expect(reads.verifiedTx(21n)).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
  });

  test('is refused on a ledger that was rolled back or has another past', async () => {
    const honest = ledgerOfSize(20);
    const behind = readsOver({ ledger: ledgerOfSize(10), trusted: hashOf(honest, 12) });
    await expect(behind.reads.verifiedTx(13n)).rejects.toMatchObject({ code: 'LEDGER_ROLLED_BACK' });
    await expect(behind.reads.verifiedTx(3n)).rejects.toMatchObject({ code: 'LEDGER_ROLLED_BACK' });
    const forked = readsOver({ ledger: ledgerOfSize(20, 11), trusted: hashOf(honest, 12) });
    await expect(forked.reads.verifiedTx(13n)).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
    await expect(forked.reads.verifiedTx(3n)).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
  });
});

describe('proven transactions', () => {
  test('are asked for once, also by many at a time', async () => {
    const { reads, calls } = readsOver();
    await Promise.all([1, 2, 3, 4, 5].map((n) => reads.verifyEntry({ ...entry(`7.${n}`), tx: 7n })));
    await reads.verifiedTx(7n);
    expect(calls.verifiableTxById).toBe(1);
  });

  test('are kept up to the limit, the last used ones', async () => {
    const { reads, calls } = readsOver({ maxTransactions: 3 });
    for (const tx of [1n, 2n, 3n, 1n, 4n]) await reads.verifiedTx(tx);
    expect(calls.verifiableTxById).toBe(4);
    for (const tx of [1n, 3n, 4n]) await reads.verifiedTx(tx);
    expect(calls.verifiableTxById).toBe(4);
    await reads.verifiedTx(2n);
    expect(calls.verifiableTxById).toBe(5);
  });

  test('are asked for again after a failure', async () => {
    let isDown = true;
    const lie = (answer: VerifiableTx) => {
      if (!isDown) return answer;
      throw new Error('connection lost');
    };
    const { reads } = readsOver({ lie });
    await expect(reads.verifiedTx(7n)).rejects.toThrow('connection lost');
    isDown = false;
    await reads.verifiedTx(7n);
  });
});
