import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { alh } from '../../src/proofs/header.ts';
import { encodeSetRequest, openLedgerClient, type LedgerClient } from '../../src/sinks/immudb/client.ts';
import { refusal } from '../fakes/immudb-refusal.ts';
import { silence, startFakeImmudb, type FakeCall, type FakeImmudb } from '../fakes/immudb-server.ts';
import { until } from '../support/until.ts';
import { b, hash, hex, refusedAs } from './immudb-subject.ts';

// What a real server does not do at will: lie, hang at one point, lose a connection between commit and answer.

let fake: FakeImmudb;
let client: LedgerClient;
const open = (more: object = {}): Promise<LedgerClient> =>
  openLedgerClient({
    host: fake.host,
    port: fake.port,
    username: fake.username,
    password: () => Promise.resolve(fake.password),
    database: 'defaultdb',
    ...more,
  });
const request = (key: string): Buffer => encodeSetRequest({ entries: [{ key: b(key), value: b('v') }] });
const committed = (): number => fake.database('defaultdb').chain.txs.length;

beforeEach(async () => {
  fake = await startFakeImmudb();
  client = await open();
});
afterEach(async () => {
  await client.close(100);
  await fake.close();
});

const onSet = (act: () => unknown) => (call: FakeCall) =>
  call.method === 'Set' ? (act() as Promise<void>) : undefined;

describe('a write', () => {
  test('whose connection drops before the commit is unknown, and not sent again', async () => {
    fake.hooks.before = onSet(() => {
      fake.dropConnections();
      throw refusal(14, 'gone');
    });
    await expect(client.set(request('k'))).rejects.toEqual(refusedAs('LEDGER_UNAVAILABLE', 'unknown'));
    fake.hooks.before = undefined;
    expect(await client.get(b('k'))).toBeNull();
    expect([fake.calls('Set'), committed()]).toEqual([1, 0]);
  });

  test('whose connection drops after the commit is unknown, and not sent again', async () => {
    fake.hooks.after = ({ method }, answer) => {
      if (method === 'Set') fake.dropConnections();
      return answer;
    };
    await expect(client.set(request('k'))).rejects.toEqual(refusedAs('LEDGER_UNAVAILABLE', 'unknown'));
    expect((await client.get(b('k')))?.tx).toBe(1n);
    expect([fake.calls('Set'), committed()]).toEqual([1, 1]);
    expect(client.state()).toBe('open');
  });

  test('that times out after the commit is unknown', async () => {
    fake.hooks.after = ({ method }, answer) => (method === 'Set' ? silence() : answer);
    const late = client.set(request('k'), { deadlineMs: 50 });
    await expect(late).rejects.toEqual(refusedAs('LEDGER_TIMEOUT', 'unknown'));
    expect((await client.get(b('k')))?.tx).toBe(1n);
  });

  test("hands over the header as it comes: judging it is the caller's", async () => {
    fake.hooks.after = ({ method }, answer) => (method === 'Set' ? { ...answer, id: 77n, nentries: 9 } : answer);
    expect(await client.set(request('k'))).toMatchObject({ id: 77n, nentries: 9 });
  });

  test('that is refused for a reason nobody knows halts', async () => {
    fake.hooks.before = onSet(() => {
      throw refusal(2, 'the moon is full');
    });
    await expect(client.set(request('k'))).rejects.toEqual(
      expect.objectContaining({ code: 'LEDGER_UNKNOWN_ERROR', disposition: 'halt', outcome: 'unknown' }),
    );
  });

  test('does not wait behind large reads', async () => {
    fake.hooks.before = ({ method }) => (method === 'Set' ? undefined : silence());
    const reads = Array.from({ length: 20 }, () => client.get(b('k'), { deadlineMs: 500 }).catch(() => null));
    expect((await client.set(request('k'))).id).toBe(1n);
    await Promise.all(reads);
  });
});

describe('an answer', () => {
  test('without what it must have is invalid', async () => {
    await client.set(request('k'));
    fake.hooks.after = ({ method }, answer) => (method === 'TxById' ? { ...answer, header: null } : answer);
    await expect(client.txById(1n, 'none')).rejects.toEqual(refusedAs('LEDGER_ANSWER_INVALID', 'unknown'));
    fake.hooks.after = (_, answer) => ({ ...answer, dualProof: null });
    await expect(client.verifiableTxById(1n, 1n, 'none')).rejects.toEqual(
      refusedAs('LEDGER_ANSWER_INVALID', 'unknown'),
    );
  });

  test('reached through a reference says so', async () => {
    await client.set(request('k'));
    fake.hooks.after = (_, answer) => ({ ...answer, referencedBy: { tx: 1n, key: b('other') } });
    expect((await client.get(b('k')))?.isReference).toBe(true);
  });
});

describe('a stalled index', () => {
  test('hangs what needs it, and only that', async () => {
    const header = await client.set(request('k'));
    fake.stallIndex(true);
    const timeout = refusedAs('LEDGER_TIMEOUT', 'unknown');
    const soon = { deadlineMs: 100 };
    await Promise.all([
      expect(client.get(b('k'), soon)).rejects.toEqual(timeout),
      expect(client.getAll([b('k')], soon)).rejects.toEqual(timeout),
      expect(client.scan({ prefix: b('k'), limit: 1 }, soon)).rejects.toEqual(timeout),
      expect(client.history(b('k'), { limit: 1 }, soon)).rejects.toEqual(timeout),
      expect(client.txScan(1n, 1, 'none', soon)).rejects.toEqual(timeout),
      expect(client.verifiableGet(b('k'), 1n, soon)).rejects.toEqual(timeout),
    ]);
    expect((await client.currentState()).txId).toBe(1n);
    expect(hex((await client.currentState()).alh)).toBe(hex(alh(header, hash)));
    expect((await client.txById(1n, 'raw'))?.entries).toHaveLength(1);
    expect((await client.verifiableTxById(1n, 1n, 'none'))?.tx.header.id).toBe(1n);
    expect((await client.set(request('k2'))).id).toBe(2n);
    expect(await client.health()).toBe(true);
  });

  test('a write that only waits for it is committed all the same', async () => {
    fake.stallIndex(true);
    const waiting = encodeSetRequest({ entries: [{ key: b('k'), value: b('') }], noWait: false });
    const late = client.set(waiting, { deadlineMs: 50 });
    await expect(late).rejects.toEqual(refusedAs('LEDGER_TIMEOUT', 'unknown'));
    expect(committed()).toBe(1);
  });
});

describe('sessions', () => {
  test('a late answer about the old session does not lose the new one', async () => {
    const held = Promise.withResolvers<undefined>();
    const entered = Promise.withResolvers<undefined>();
    fake.hooks.before = async ({ method }) => {
      if (method !== 'Health') return;
      entered.resolve(undefined);
      await held.promise;
      throw refusal(7, 'session not found');
    };
    const late = client.health();
    await entered.promise;
    fake.forgetSessions();
    await expect(client.currentState()).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    await client.reopen();
    held.resolve(undefined);
    await expect(late).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    expect(client.state()).toBe('open');
    expect((await client.set(request('k'))).id).toBe(1n);
  });

  test('while lost, nothing is sent', async () => {
    fake.forgetSessions();
    await expect(client.currentState()).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    await expect(client.set(request('k'))).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    expect(fake.calls('Set')).toBe(0);
  });

  test('calls of reopen share one attempt; while it runs, calls fail as lost', async () => {
    fake.forgetSessions();
    await expect(client.currentState()).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    const attempts = [client.reopen(), client.reopen()];
    expect(client.state()).toBe('reopening');
    await expect(client.get(b('k'))).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    await Promise.all([...attempts, client.reopen()]);
    expect([fake.calls('OpenSession'), fake.sessions()]).toEqual([2, 1]);
  });

  test('closed while reopening, the new session is closed, too', async () => {
    fake.forgetSessions();
    await expect(client.currentState()).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    const reopening = client.reopen();
    await client.close();
    await reopening;
    expect([client.state(), fake.calls('OpenSession'), fake.sessions()]).toEqual(['closed', 2, 0]);
  });

  test('a refused password on reopen leaves it lost, and says so', async () => {
    let password = fake.password;
    const rotated = await open({ password: () => Promise.resolve(password) });
    fake.forgetSessions();
    await expect(rotated.currentState()).rejects.toEqual(refusedAs('LEDGER_SESSION_LOST', 'not-written'));
    password = 'of yesterday';
    await expect(rotated.reopen()).rejects.toEqual(refusedAs('LEDGER_CREDENTIALS', 'not-written'));
    expect(rotated.state()).toBe('lost');
    password = fake.password;
    await rotated.reopen();
    await rotated.close();
    expect(fake.sessions()).toBe(0);
  });

  test('an idle session is kept alive, a busy one needs nothing', async () => {
    const idle = await open({ keepAliveMs: 30 });
    await until(() => fake.calls('KeepAlive') >= 3, { what: 'three heartbeats' });
    await idle.close();
    const sent = fake.calls('KeepAlive');
    const busy = await open({ keepAliveMs: 10_000 });
    for (let i = 0; i < 50; i++) await busy.health();
    await busy.close();
    expect(fake.calls('KeepAlive')).toBe(sent);
  });

  test('a heartbeat that meets a lost session loses it', async () => {
    const idle = await open({ keepAliveMs: 20 });
    fake.forgetSessions();
    await until(() => idle.state() === 'lost', { what: 'the loss' });
    await idle.close();
  });
});

describe('connections', () => {
  test('one that went silent is given up after three calls without an answer', async () => {
    await client.get(b('k'));
    fake.blackhole();
    const before = fake.connections();
    for (let i = 0; i < 3; i++)
      await expect(client.get(b('k'), { deadlineMs: 50 })).rejects.toEqual(refusedAs('LEDGER_TIMEOUT', 'unknown'));
    expect(await client.get(b('k'), { deadlineMs: 2_000 })).toBeNull();
    expect(fake.connections()).toBe(before + 1);
  });

  test('writes have one of their own', async () => {
    const three = await open({ channels: 3 });
    const before = fake.connections();
    await three.set(request('k'));
    expect(fake.connections()).toBe(before);
    for (let i = 0; i < 5; i++) await three.get(b('k'));
    expect(fake.connections()).toBe(before + 2);
    await three.close();
  });

  test('a refused connection is retried by the next call', async () => {
    await fake.stop();
    await expect(client.get(b('k'))).rejects.toEqual(refusedAs('LEDGER_UNAVAILABLE', 'unknown'));
    await fake.start();
    const isLost = async (): Promise<boolean> => {
      await expect(client.get(b('k'))).rejects.toEqual(expect.objectContaining({ disposition: 'retry' }));
      return client.state() === 'lost';
    };
    await until(isLost, { what: 'an answer of the new server' });
    await client.reopen();
    expect(await client.get(b('k'))).toBeNull();
  });
});

describe('the fake is bounded', () => {
  test('in transactions', async () => {
    const small = await startFakeImmudb({ maxTransactions: 2 });
    const password = () => Promise.resolve(small.password);
    const one = await openLedgerClient({ ...small, password, database: 'defaultdb' });
    await one.set(request('1'));
    await one.set(request('2'));
    await expect(one.set(request('3'))).rejects.toThrow('holds 2 transactions at most');
    await one.close();
    await small.close();
  });
});
