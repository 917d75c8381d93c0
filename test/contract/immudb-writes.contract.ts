import { describe, expect, test } from '@jest/globals';
import { digestOfEntry, rootOfDigests } from '../../src/proofs/entry.ts';
import { alh } from '../../src/proofs/header.ts';
import { encodeSetRequest, type Precondition } from '../../src/sinks/immudb/client.ts';
import { b, deleteMethod, hash, hex, refusedAs, texts, type Subject } from './immudb-subject.ts';
import * as messages from '../../src/sinks/immudb/proto/messages.ts';

/** What a Set does, and what its preconditions let through. */
export const writesContract = (the: Subject): void => {
  describe('writes', () => {
    test('a Set answers with a header that commits to exactly what was sent, in its order', async () => {
      const p = the.fresh();
      const entries = [2, 1, 3].map((i) => ({ key: b(`${p}${i}`), value: b('x'.repeat(i)), metadata: null }));
      const header = await the.client.set(encodeSetRequest({ entries }));
      expect(header.nentries).toBe(3);
      expect(header.version).toBe(1);
      expect(header.metadata).toBeNull();
      expect(
        hex(
          rootOfDigests(
            entries.map((each) => digestOfEntry(each, hash)),
            hash,
          ),
        ),
      ).toBe(hex(header.eH));
    });

    test('each header carries the hash of the one before', async () => {
      const p = the.fresh();
      const first = await the.put([`${p}1`]);
      const second = await the.put([`${p}2`]);
      expect(second.id).toBe(first.id + 1n);
      expect(second.blTxId).toBe(first.id);
      expect(hex(second.prevAlh)).toBe(hex(alh(first, hash)));
    });

    test.each([true, false])('noWait %p reads back', async (noWait) => {
      const p = the.fresh();
      await the.put([`${p}1`], [], noWait);
      expect((await the.client.get(b(`${p}1`)))?.value.toString()).toBe(`of ${p}1`);
    });

    test('an empty value is a value', async () => {
      const key = b(`${the.fresh()}1`);
      await the.client.set(encodeSetRequest({ entries: [{ key, value: b('') }] }));
      expect((await the.client.get(key))?.value.length).toBe(0);
    });

    test('values with any bytes, and a message of megabytes', async () => {
      const key = b(`${the.fresh()}1`);
      const value = Buffer.alloc(5 * 1024 * 1024, Buffer.from([0, 255, 128, 7]));
      const header = await the.client.set(encodeSetRequest({ entries: [{ key, value }] }));
      expect((await the.client.get(key))?.value.equals(value)).toBe(true);
      const tx = await the.client.txById(header.id, 'raw');
      expect(tx?.entries[0]?.storedValue.subarray(1).equals(value)).toBe(true);
    });
  });

  describe('preconditions', () => {
    const condition = (kind: Precondition['kind'], key: string, tx = 1n): Precondition =>
      kind === 'not-modified-after' ? { key: b(key), kind, tx } : { key: b(key), kind };

    /** A key in each state of life. */
    const lives = {
      missing: () => Promise.resolve(`${the.fresh()}k`),
      present: async () => {
        const key = `${the.fresh()}k`;
        await the.put([key]);
        return key;
      },
      deleted: async () => {
        const key = await lives.present();
        await the.session.call(deleteMethod, { keys: [b(key)] }, { lane: 'write' });
        return key;
      },
      expired: async () => {
        const key = `${the.fresh()}k`;
        const metadata = { expiration: { expiresAt: 1n } };
        const request = { entries: [{ key: b(key), value: b('old'), metadata }], noWait: false };
        await the.client.set(messages.setRequest.encode(request));
        return key;
      },
    };

    test.each([
      ['must-exist', 'missing', false],
      ['must-exist', 'present', true],
      ['must-exist', 'deleted', false],
      ['must-exist', 'expired', false],
      ['must-not-exist', 'missing', true],
      ['must-not-exist', 'present', false],
      ['must-not-exist', 'deleted', true],
      ['must-not-exist', 'expired', true],
      ['not-modified-after', 'missing', true],
      ['not-modified-after', 'present', false],
      ['not-modified-after', 'deleted', false],
      ['not-modified-after', 'expired', false],
    ] as const)('%s on a key that is %s: %p', async (kind, life, passes) => {
      const key = await lives[life]();
      const other = `${the.fresh()}other`;
      const before = await the.client.currentState();
      const written = the.put([other], [condition(kind, key)]);
      if (passes) {
        expect((await written).id).toBe(before.txId + 1n);
        return;
      }
      await expect(written).rejects.toEqual(refusedAs('LEDGER_REFUSED_PRECONDITION', 'refused'));
      expect((await the.client.currentState()).txId).toBe(before.txId);
      expect(await the.client.get(b(other))).toBeNull();
    });

    test('not-modified-after is a compare-and-set on the transaction last read', async () => {
      const key = `${the.fresh()}k`;
      const { id } = await the.put([key]);
      await the.put([key], [{ key: b(key), kind: 'not-modified-after', tx: id }]);
      const late = the.put([key], [{ key: b(key), kind: 'not-modified-after', tx: id }]);
      await expect(late).rejects.toEqual(refusedAs('LEDGER_REFUSED_PRECONDITION', 'refused'));
    });

    test('one of many that does not hold refuses all', async () => {
      const p = the.fresh();
      await the.put([`${p}7`]);
      const keys = Array.from({ length: 10 }, (_, i) => `${p}${i}`);
      const written = the.put(
        keys,
        keys.map((key) => condition('must-not-exist', key)),
      );
      await expect(written).rejects.toEqual(refusedAs('LEDGER_REFUSED_PRECONDITION', 'refused'));
      expect(texts(await the.client.scan({ prefix: b(p), limit: 20 }))).toEqual([`${p}7`]);
    });
  });
};
