import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openLedgerClient } from '../../src/sinks/immudb/client.ts';
import { makeAuthority } from '../../stack/certificates.ts';
import { until } from '../support/until.ts';
import { type Rig, type StartRig } from './immudb-rigs.ts';

/** TLS of one kind, on a server of its own. */
export const immudbTlsContract = (start: StartRig): void => {
  const withRig = async (tls: 'server' | 'mutual', run: (rig: Rig) => Promise<void>): Promise<void> => {
    const rig = await start({ tls });
    try {
      await run(rig);
    } finally {
      await rig.close();
    }
  };
  const opens = async (options: Rig['options']): Promise<void> => {
    const client = await openLedgerClient({ ...options, database: 'defaultdb' });
    await client.currentState();
    await client.close();
  };
  const unavailable = expect.objectContaining({ code: 'LEDGER_UNAVAILABLE' });

  test('TLS: the server is who its certificate says, or nothing is sent', () =>
    withRig('server', async ({ options }) => {
      const { tls, ...plain } = options;
      await opens(options);
      await opens({ ...options, tls: { ...tls!, serverName: 'localhost' } });
      await expect(opens({ ...options, tls: { ...tls!, serverName: 'elsewhere' } })).rejects.toEqual(unavailable);
      await expect(opens({ ...plain, deadlineMs: 1_000 })).rejects.toEqual(
        expect.objectContaining({ disposition: 'retry' }),
      );
      await expect(opens({ ...options, tls: { caFile: '/nowhere/ca.pem' } })).rejects.toEqual(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
    }));

  // A client without any certificate is let in by immudb 1.11, whatever --mtls promises.
  test('mutual TLS: a certificate of the authority gets in, one of another does not', () =>
    withRig('mutual', async ({ options }) => {
      await opens(options);
      const { caFile = '', certFile = '' } = options.tls ?? {};
      await expect(opens({ ...options, tls: { caFile, certFile } })).rejects.toEqual(
        expect.objectContaining({ code: 'CONFIG_INVALID' }),
      );
      await withForeignCertificate(async (files) => {
        await expect(opens({ ...options, tls: { caFile, ...files }, deadlineMs: 3_000 })).rejects.toEqual(
          expect.objectContaining({ disposition: 'retry' }),
        );
      });
    }));
};

type ClientFiles = { readonly certFile: string; readonly keyFile: string };

const withForeignCertificate = async (run: (files: ClientFiles) => Promise<void>): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'immutrail-foreign-'));
  const { certificate, key } = makeAuthority('another CA').issue('immutrail', ['localhost']);
  const files = { certFile: join(dir, 'client.pem'), keyFile: join(dir, 'client-key.pem') };
  await writeFile(files.certFile, certificate);
  await writeFile(files.keyFile, key);
  await run(files).finally(() => rm(dir, { recursive: true }));
};

/** Sessions that time out, on a server of their own. */
export const immudbKeepAliveContract = (start: StartRig): void => {
  test('an idle session is kept alive; one that is not, is lost', async () => {
    const rig = await start({ sessionTimeoutS: 2 });
    const open = (keepAliveMs: number) =>
      openLedgerClient({ ...rig.options, database: 'defaultdb', channels: 1, keepAliveMs });
    const clients = await Promise.all([300, ...Array<number>(8).fill(60_000)].map(open));
    try {
      const [kept, ...idle] = clients;
      // Asking refreshes a session, so each of the idle ones is asked once, until one turns out to be lost.
      const asked = [...idle];
      const isOneLost = async (): Promise<boolean> => {
        await Promise.allSettled([asked.pop()?.currentState()]);
        return idle.some((client) => client.state() === 'lost');
      };
      await until(isOneLost, { what: 'a lost session', everyMs: 1_000, timeoutMs: 20_000 });
      expect((await kept?.currentState())?.txId).toBe(0n);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await rig.close();
    }
  });
};
