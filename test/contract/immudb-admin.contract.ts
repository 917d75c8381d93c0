import { describe, expect, test } from '@jest/globals';
import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { encodeSetRequest, openLedgerClient } from '../../src/sinks/immudb/client.ts';
import { methods } from '../../src/sinks/immudb/proto/methods.ts';
import { openSession } from '../../src/sinks/immudb/session.ts';
import { b, refusedAs, type Subject } from './immudb-subject.ts';

/** Databases and users. */
export const adminContract = (the: Subject): void => {
  describe('administration', () => {
    test('databases: stored settings, permanent ones, names', async () => {
      const admin = await openLedgerAdmin(the.rig.options);
      const made = await admin.createDatabase('Settled', {
        maxTxEntries: 512,
        syncFrequencyMs: 5,
        indexMaxBulkSize: 2,
      });
      expect(made).toMatchObject({ name: 'settled', alreadyExisted: false, settings: { maxTxEntries: 512 } });
      const again = await admin.createDatabase('settled', { maxTxEntries: 99 }, { ifNotExists: true });
      expect(again).toMatchObject({ alreadyExisted: true, settings: { maxTxEntries: 512, syncFrequencyMs: 5 } });
      const refused = refusedAs('LEDGER_SETTINGS', 'not-written');
      await expect(admin.createDatabase('settled', {})).rejects.toEqual(refused);
      for (const name of ['', 'a-b', 'a b', 'a/b', 'x'.repeat(129)])
        await expect(admin.createDatabase(name, {})).rejects.toEqual(refused);
      await expect(admin.updateDatabase('settled', { maxTxEntries: 9 })).rejects.toEqual(refused);
      await expect(admin.updateDatabase('defaultdb', { syncFrequencyMs: 9 })).rejects.toEqual(refused);
      await admin.updateDatabase('settled', { syncFrequencyMs: 7 });
      const listed = (await admin.databaseList()).find(({ name }) => name === 'settled');
      expect(listed?.settings).toMatchObject({ maxTxEntries: 512, syncFrequencyMs: 7, embeddedValues: false });
      await admin.close();
    });

    test('a reader reads and proves, and writes nothing', async () => {
      const admin = await openLedgerAdmin(the.rig.options);
      const user = { username: 'reader', password: 'Reader-aA1!', database: 'contract', permission: 'read' } as const;
      await admin.createUser(user);
      await admin.close();
      const asReader = { username: 'reader', password: () => Promise.resolve('Reader-aA1!') };
      const reader = await openLedgerClient({ ...the.rig.options, ...asReader, database: 'contract' });
      expect((await reader.get(b('genesis')))?.tx).toBe(1n);
      expect((await reader.verifiableTxById(1n, 1n, 'none'))?.tx.header.id).toBe(1n);
      expect((await reader.txScan(1n, 1, 'none')).length).toBe(1);
      const refused = refusedAs('LEDGER_PERMISSION', 'not-written');
      const write = reader.set(encodeSetRequest({ entries: [{ key: b('no'), value: b('') }] }));
      await expect(write).rejects.toEqual(refused);
      await reader.close();
      const elsewhere = openLedgerClient({ ...the.rig.options, ...asReader, database: 'settled' });
      await expect(elsewhere).rejects.toEqual(expect.objectContaining({ code: 'LEDGER_PERMISSION' }));
      const asAdmin = await openSession({ ...the.rig.options, ...asReader, database: 'contract' });
      await expect(asAdmin.call(methods.createDatabase, { name: 'mine' })).rejects.toEqual(refused);
      await asAdmin.close();
    });

    test('the server tells of itself', async () => {
      expect(await the.client.health()).toBe(true);
      expect((await the.client.serverInfo()).numDatabases).toBeGreaterThan(1);
    });
  });
};
