import { describe, expect, test } from '@jest/globals';
import { verifyDualProof } from '../../src/proofs/dual-proof.ts';
import { digestOfEntry } from '../../src/proofs/entry.ts';
import { alh } from '../../src/proofs/header.ts';
import { leafHash, verifyInclusion } from '../../src/proofs/merkle-tree.ts';
import { openLedgerClient } from '../../src/sinks/immudb/client.ts';
import { methods } from '../../src/sinks/immudb/proto/methods.ts';
import { b, hash, hex, refusedAs, type Subject } from './immudb-subject.ts';

/** Proofs, verified by src/proofs. */
export const proofsContract = (the: Subject): void => {
  describe('proofs', () => {
    test('the dual proof of any two transactions holds, in either order', async () => {
      const p = the.fresh();
      for (const n of ['1', '2', '3']) await the.put([`${p}${n}`]);
      const state = await the.client.currentState();
      const pairs = [1n, 2n, 3n, state.txId - 1n, state.txId].map((id) => [id, state.txId] as const);
      for (const [source, target] of [...pairs, [1n, 1n], [1n, 2n], [2n, 3n], [1n, 3n]] as const) {
        for (const [id, since] of [
          [source, target],
          [target, source],
        ] as const) {
          const { tx, dualProof } = (await the.client.verifiableTxById(id, since, 'none'))!;
          const trusted = { id: tx.header.id, alh: alh(tx.header, hash) };
          const ends = verifyDualProof({ proof: dualProof, source, target, trusted }, hash);
          if (target === state.txId) expect(hex(ends.target.alh)).toBe(hex(state.alh));
        }
      }
    });

    test('verifiableGet proves the entry in its transaction, and that since an earlier one', async () => {
      const p = the.fresh();
      const header = await the.put(['a', 'b', 'c', 'd', 'e'].map((n) => p + n));
      const { entry, inclusion, verifiableTx } = (await the.client.verifiableGet(b(`${p}c`), 1n))!;
      expect(entry.isReference).toBe(false);
      const digest = digestOfEntry({ key: b(`${p}c`), value: entry.value, metadata: entry.metadata }, hash);
      const leaf = leafHash(digest, hash);
      verifyInclusion({ index: BigInt(inclusion.leaf), width: 5n, leaf, path: inclusion.path, root: header.eH }, hash);
      const trusted = { id: header.id, alh: alh(header, hash) };
      verifyDualProof({ proof: verifiableTx.dualProof, source: 1n, target: header.id, trusted }, hash);
    });

    test('what the ledger has not come to is a rollback', async () => {
      const rolledBack = refusedAs('LEDGER_ROLLED_BACK', 'not-written');
      await expect(the.client.verifiableTxById(1n, 1_000_000n, 'none')).rejects.toEqual(rolledBack);
      await expect(the.client.verifiableGet(b('genesis'), 1_000_000n)).rejects.toEqual(rolledBack);
      await expect(the.session.call(methods.get, { key: b('genesis'), sinceTx: 1_000_000n })).rejects.toEqual(
        rolledBack,
      );
    });

    test('an empty database is at transaction 0', async () => {
      const other = await openLedgerClient({ ...the.rig.options, database: 'defaultdb' });
      const state = await other.currentState();
      expect([state.database, state.txId, state.signature]).toEqual(['defaultdb', 0n, null]);
      await other.close();
    });
  });
};
