import { describe, expect, test } from '@jest/globals';
import { encodeSetRequest, openLedgerClient, type LedgerClient } from '../../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { until } from '../support/until.ts';
import { b, refusedAs, untilCode, type Subject } from './immudb-subject.ts';

/** How sessions begin, are lost and end. */
export const sessionsContract = (the: Subject): void => {
  describe('sessions', () => {
    const open = (options: object) => openLedgerClient({ ...the.rig.options, database: 'contract', ...options });

    test.each([
      ['wrong password', { password: () => Promise.resolve('wrong') }, 'LEDGER_CREDENTIALS'],
      ['unknown user', { username: 'nobody' }, 'LEDGER_CREDENTIALS'],
      ['missing database', { database: 'nowhere' }, 'LEDGER_DATABASE_MISSING'],
      ['empty database name', { database: '' }, 'LEDGER_DATABASE_MISSING'],
      ['missing password file', { password: passwordFromFile('/nowhere/password') }, 'CONFIG_INVALID'],
    ])('%s', async (_, options, code) => {
      await expect(open(options)).rejects.toEqual(expect.objectContaining({ code }));
    });

    test('a database name is not case-sensitive', async () => {
      const other = await open({ database: 'ConTract' });
      expect((await other.currentState()).database).toBe('contract');
      await other.close();
    });

    test('nobody there', async () => {
      await expect(open({ port: 1 })).rejects.toEqual(refusedAs('LEDGER_UNAVAILABLE', 'unknown'));
    });

    test('too many sessions is overload; a closed one makes room', async () => {
      const others: LedgerClient[] = [];
      const overflow = async () => {
        for (let i = 0; i < 13; i++) others.push(await open({ channels: 1 }));
      };
      await expect(overflow()).rejects.toEqual(expect.objectContaining({ code: 'LEDGER_OVERLOADED' }));
      await others.pop()?.close();
      others.push(await open({}));
      await Promise.all(others.map((other) => other.close()));
    });

    test('close ends the session on the server, and leaves no connection', async () => {
      const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      const before = sockets();
      for (let i = 0; i < 14; i++) {
        const other = await open({});
        await other.currentState();
        await Promise.all([other.close(), other.close()]);
        expect(other.state()).toBe('closed');
        await expect(other.health()).rejects.toEqual(refusedAs('UNEXPECTED', 'not-written'));
        await expect(other.reopen()).rejects.toEqual(refusedAs('UNEXPECTED', 'not-written'));
      }
      await until(() => sockets() <= before, { what: 'no connection left' });
    });

    test('close lets calls under way finish', async () => {
      const other = await open({});
      const header = other.set(
        encodeSetRequest({ entries: [{ key: b(`${the.fresh()}k`), value: b('') }], noWait: false }),
      );
      await other.close();
      expect((await header).nentries).toBe(1);
    });

    test('a lost session stays lost until it is reopened', async () => {
      const other = await open({});
      await the.rig.kill();
      await the.rig.start();
      const lost = refusedAs('LEDGER_SESSION_LOST', 'not-written');
      const request = encodeSetRequest({ entries: [{ key: b(`${the.fresh()}k`), value: b('') }] });
      await untilCode('LEDGER_SESSION_LOST', () => other.currentState());
      expect(other.state()).toBe('lost');
      await expect(other.set(request)).rejects.toEqual(lost);
      await Promise.all([other.reopen(), other.reopen(), other.reopen()]);
      expect(other.state()).toBe('open');
      expect((await other.set(request)).nentries).toBe(1);
      await other.reopen();
      await other.close();
      await the.reopenLost();
    });

    test('reopen fails while the server is away, and succeeds later', async () => {
      const other = await open({});
      await the.rig.kill();
      await the.rig.start();
      await untilCode('LEDGER_SESSION_LOST', () => other.health().then(() => other.currentState()));
      await the.rig.kill();
      await expect(other.reopen()).rejects.toEqual(expect.objectContaining({ disposition: 'retry' }));
      expect(other.state()).toBe('lost');
      await the.rig.start();
      await until(
        () =>
          other.reopen().then(
            () => true,
            () => false,
          ),
        { what: 'a session' },
      );
      await other.close();
      await the.reopenLost();
    });

    test('the password is read anew for each session', async () => {
      let asked = 0;
      const password = () => {
        asked += 1;
        return the.rig.options.password();
      };
      const other = await open({ password });
      await other.close();
      expect(asked).toBe(1);
    });
  });
};
