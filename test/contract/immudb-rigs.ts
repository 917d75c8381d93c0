import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TlsOptions } from '../../src/sinks/immudb/credentials.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import type { LedgerOptions } from '../../src/sinks/immudb/session.ts';
import { makeAuthority } from '../../stack/certificates.ts';
import { startNativeStack } from '../../stack/native.ts';
import { silence, startFakeImmudb } from '../fakes/immudb-server.ts';

export type RigOptions = {
  readonly tls?: 'server' | 'mutual';
  readonly maxSessions?: number;
  readonly sessionTimeoutS?: number;
};

/** One immudb server, real or not, as the contract suite needs it. */
export type Rig = {
  readonly options: Omit<LedgerOptions, 'database'>;
  /** Stops the server as a crash does, and starts it anew with its data. */
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** Until resumed no call is answered. */
  readonly pause: () => Promise<void>;
  readonly resume: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type StartRig = (options?: RigOptions) => Promise<Rig>;

export const startFakeRig: StartRig = async ({ tls, maxSessions, sessionTimeoutS } = {}) => {
  const dir = await mkdtemp(join(tmpdir(), 'immutrail-rig-'));
  const files = await tlsFiles(dir);
  const secured = tls && {
    key: await readFile(files.serverKey),
    cert: await readFile(files.server),
    ...(tls === 'mutual' && { clientCa: await readFile(files.ca) }),
  };
  const fake = await startFakeImmudb({
    ...(secured && { tls: secured }),
    ...(maxSessions !== undefined && { maxSessions }),
    ...(sessionTimeoutS !== undefined && { sessionTimeoutMs: sessionTimeoutS * 1000 }),
  });
  const { host, port, username, password } = fake;
  await writeFile(join(dir, 'password'), `${password}\n`);
  const client = tls === 'mutual' ? { certFile: files.client, keyFile: files.clientKey } : {};
  return {
    options: {
      host,
      port,
      username,
      password: passwordFromFile(join(dir, 'password')),
      ...(tls && { tls: { caFile: files.ca, ...client } satisfies TlsOptions }),
    },
    kill: fake.stop,
    start: fake.start,
    pause: () => Promise.resolve(void (fake.hooks.before = silence)),
    resume: () => Promise.resolve(void (fake.hooks.before = undefined)),
    close: async () => {
      await fake.close();
      await rm(dir, { recursive: true });
    },
  };
};

const tlsFiles = async (dir: string) => {
  const authority = makeAuthority('immutrail test CA');
  const server = authority.issue('immudb', ['localhost', '127.0.0.1']);
  const client = authority.issue('immutrail', ['localhost']);
  const written = {
    ca: authority.certificate,
    server: server.certificate,
    serverKey: server.key,
    client: client.certificate,
    clientKey: client.key,
  };
  const fileOf = (name: string): string => join(dir, `${name}.pem`);
  await Promise.all(Object.entries(written).map(([name, text]) => writeFile(fileOf(name), text)));
  return {
    ca: fileOf('ca'),
    server: fileOf('server'),
    serverKey: fileOf('serverKey'),
    client: fileOf('client'),
    clientKey: fileOf('clientKey'),
  };
};

export const startRealRig: StartRig = async ({ tls, maxSessions, sessionTimeoutS } = {}) => {
  const flags = [
    ...(maxSessions === undefined ? [] : [`--max-sessions=${maxSessions}`]),
    ...(sessionTimeoutS === undefined
      ? []
      : [`--session-timeout=${sessionTimeoutS}s`, '--sessions-guard-check-interval=1s']),
  ];
  const stack = await startNativeStack({ kafka: false, immudb: { flags, ...(tls && { tls }) } });
  const { host, port, username, passwordFile, server, tls: files } = stack.immudb;
  return {
    options: { host, port, username, password: passwordFromFile(passwordFile), ...(files && { tls: files }) },
    kill: () => server.kill(),
    start: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    close: () => stack.stop(),
  };
};
