import { describe, expect, test } from '@jest/globals';
import { entryDigest } from '../../src/proofs/entry.ts';
import { alh } from '../../src/proofs/header.ts';
import { leafHash, rootOfLeafHashes } from '../../src/proofs/merkle-tree.ts';
import { encodeSetRequest, openLedgerClient } from '../../src/sinks/immudb/client.ts';
import { b, deleteMethod, hash, hex, hexes, texts, type Subject } from './immudb-subject.ts';

/** Reads, however large the answer. */
export const readsContract = (the: Subject): void => {
  describe('reads', () => {
    test('what is not there is null, or left out', async () => {
      const p = the.fresh();
      await the.put([`${p}1`]);
      expect(await the.client.get(b(`${p}2`))).toBeNull();
      expect(texts(await the.client.getAll([b(`${p}2`), b(`${p}1`), b(`${p}3`)]))).toEqual([`${p}1`]);
      expect(await the.client.getAll([])).toEqual([]);
      expect(await the.client.history(b(`${p}2`), { limit: 5 })).toEqual([]);
      expect(await the.client.txById(1_000_000n, 'digests')).toBeNull();
      expect(await the.client.txScan(1_000_000n, 5, 'none')).toEqual([]);
      expect(await the.client.verifiableTxById(1_000_000n, 1n, 'none')).toBeNull();
      expect(await the.client.verifiableGet(b(`${p}2`), 1n)).toBeNull();
    });

    test('getAll keeps the order asked for, beyond one call', async () => {
      const p = the.fresh();
      const keys = Array.from({ length: 1000 }, (_, i) => `${p}${i}`);
      await the.put(keys);
      const asked = Array.from({ length: 9000 }, (_, i) => keys[(i * 7) % 1000]!);
      expect(texts(await the.client.getAll(asked.map(b)))).toEqual(asked);
    });

    test('answers too large for one message are read in parts', async () => {
      const small = await openLedgerClient({ ...the.rig.options, database: 'contract', maxMessageBytes: 64 * 1024 });
      const p = the.fresh();
      const keys = Array.from({ length: 10 }, (_, i) => b(`${p}${i}`));
      const value = Buffer.alloc(3 * 1024 * 1024, 65);
      for (const key of keys) await the.client.set(encodeSetRequest({ entries: [{ key, value }] }));
      expect((await small.getAll(keys)).map(({ key }) => key)).toEqual(keys);
      expect((await small.scan({ prefix: b(p), limit: 9 })).map(({ key }) => key)).toEqual(keys.slice(0, 9));
      const reversed = await small.scan({ prefix: b(p), limit: 9, desc: true });
      expect(reversed.map(({ key }) => key)).toEqual(keys.toReversed().slice(0, 9));
      await small.close();
    });

    test('one answer too large alone is refused', async () => {
      const key = b(`${the.fresh()}1`);
      const header = await the.client.set(
        encodeSetRequest({ entries: [{ key, value: Buffer.alloc(5 * 1024 * 1024) }] }),
      );
      const small = await openLedgerClient({ ...the.rig.options, database: 'contract', maxMessageBytes: 64 * 1024 });
      const tooLarge = expect.objectContaining({ code: 'LEDGER_ANSWER_TOO_LARGE' });
      await expect(small.getAll([key])).rejects.toEqual(tooLarge);
      await expect(small.txById(header.id, 'raw')).rejects.toEqual(tooLarge);
      expect((await small.txById(header.id, 'digests'))?.entries.length).toBe(1);
      await small.close();
    });

    test('scan: bounds, inclusion, direction and limit', async () => {
      const p = the.fresh();
      const [k1, k2, k3, k4] = ['1', '2', '3', '4'].map((n) => `${p}${n}`) as [string, string, string, string];
      await the.put([k3, k1, k4, k2]);
      const scan = async (more: object) => texts(await the.client.scan({ prefix: b(p), limit: 10, ...more }));
      expect(await scan({})).toEqual([k1, k2, k3, k4]);
      expect(await scan({ desc: true })).toEqual([k4, k3, k2, k1]);
      expect(await scan({ limit: 2 })).toEqual([k1, k2]);
      expect(await scan({ seekKey: b(k2) })).toEqual([k3, k4]);
      expect(await scan({ seekKey: b(k2), inclusiveSeek: true })).toEqual([k2, k3, k4]);
      expect(await scan({ seekKey: b(k3), desc: true })).toEqual([k2, k1]);
      expect(await scan({ seekKey: b(k3), desc: true, inclusiveSeek: true })).toEqual([k3, k2, k1]);
      expect(await scan({ endKey: b(k3) })).toEqual([k1, k2]);
      expect(await scan({ endKey: b(k3), inclusiveEnd: true })).toEqual([k1, k2, k3]);
      expect(await scan({ seekKey: b(k4), desc: true, endKey: b(k2), inclusiveEnd: true })).toEqual([k3, k2]);
    });

    test('scan beyond the largest page of the server', async () => {
      const p = the.fresh();
      const keys = Array.from({ length: 3000 }, (_, i) => `${p}${String(i).padStart(4, '0')}`);
      for (let i = 0; i < 3000; i += 1000) await the.put(keys.slice(i, i + 1000));
      expect(texts(await the.client.scan({ prefix: b(p), limit: 5000 }))).toEqual(keys);
      expect(texts(await the.client.scan({ prefix: b(p), limit: 2600 }))).toEqual(keys.slice(0, 2600));
    });

    test('history: all revisions, also of a deleted key', async () => {
      const key = `${the.fresh()}k`;
      const ids = [(await the.put([key])).id, (await the.put([key])).id];
      ids.push((await the.session.call(deleteMethod, { keys: [b(key)] })).id);
      const revisions = await the.client.history(b(key), { limit: 10 });
      expect(revisions.map(({ tx }) => tx)).toEqual(ids);
      expect(revisions.map(({ revision }) => revision)).toEqual([1n, 2n, 3n]);
      expect(revisions.map(({ metadata }) => metadata?.deleted === true)).toEqual([false, false, true]);
      const newest = await the.client.history(b(key), { limit: 1, desc: true });
      expect(newest.map(({ tx }) => tx)).toEqual([ids[2]]);
      const later = await the.client.history(b(key), { limit: 10, offset: 1n });
      expect(later.map(({ tx }) => tx)).toEqual(ids.slice(1));
      expect(await the.client.get(b(key))).toBeNull();
    });

    test('get at a transaction reads what that transaction wrote', async () => {
      const key = b(`${the.fresh()}k`);
      const { id } = await the.client.set(encodeSetRequest({ entries: [{ key, value: b('then') }] }));
      await the.client.set(encodeSetRequest({ entries: [{ key, value: b('now') }] }));
      expect((await the.client.get(key, { atTx: id }))?.value.toString()).toBe('then');
      expect((await the.client.get(key))?.value.toString()).toBe('now');
    });

    test('txById brings no entries, digests or values; digests rebuild the root', async () => {
      const p = the.fresh();
      const header = await the.put([`${p}1`, `${p}2`, `${p}3`]);
      const none = await the.client.txById(header.id, 'none');
      const digests = await the.client.txById(header.id, 'digests');
      const raw = await the.client.txById(header.id, 'raw');
      for (const tx of [none, digests, raw]) expect(hexes(tx?.header)).toEqual(hexes(header));
      expect(none?.entries).toEqual([]);
      expect(digests?.entries.map(({ storedValue }) => storedValue.length)).toEqual([0, 0, 0]);
      expect(raw?.entries.map(({ storedValue }) => storedValue.toString())).toEqual(
        ['1', '2', '3'].map((n) => `\0of ${p}${n}`),
      );
      const leaves = Buffer.concat(digests!.entries.map((entry) => leafHash(entryDigest(entry, hash), hash)));
      expect(hex(rootOfLeafHashes(leaves, 3, hash))).toBe(hex(header.eH));
    });

    test('txScan brings a run of transactions, chained', async () => {
      const p = the.fresh();
      const first = await the.put([`${p}1`]);
      await the.put([`${p}2`]);
      await the.put([`${p}3`]);
      const txs = await the.client.txScan(first.id, 2, 'digests');
      expect(txs.map(({ header }) => header.id)).toEqual([first.id, first.id + 1n]);
      expect(hex(txs[1]!.header.prevAlh)).toBe(hex(alh(txs[0]!.header, hash)));
      expect(txs[0]!.entries.map(({ storedKey }) => storedKey.toString())).toEqual([`\0${p}1`]);
    });
  });
};
