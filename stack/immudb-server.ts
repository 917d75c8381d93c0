/** One native immudb: its own data, a password made for it alone, TLS and a signing key when asked for. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, type ChannelCredentials } from '@grpc/grpc-js';
import { freePorts } from './free-ports.ts';
import { channelCredentials, makeImmudbSecurity, type ImmudbOptions } from './immudb-security.ts';
import type { Stack } from './stack.ts';
import { supervisedServer } from './supervised-server.ts';
import type { Supervisor } from './supervised.ts';

const loopback = '127.0.0.1';

/**
 * Calls Health, the one call that needs no session; it answers as soon as the databases are open.
 * The requests and answers are not looked into, so no protocol definition is needed here.
 */
export const immudbAnswers = (address: string, secrets: ChannelCredentials): Promise<boolean> =>
  new Promise((resolve) => {
    const client = new Client(address, secrets);
    const asIs = (bytes: Buffer): Buffer => bytes;
    const settings = { deadline: Date.now() + 2_000 };
    client.makeUnaryRequest('/immudb.schema.ImmuService/Health', asIs, asIs, Buffer.alloc(0), settings, (error) => {
      client.close();
      resolve(error === null);
    });
  });

/** The flags of every immudb of the stack: nothing listens that nobody uses. */
export const quietFlags = ['--web-server=false', '--pgsql-server=false'] as const;

export const startImmudb = async (
  supervisor: Supervisor,
  binary: string,
  stackDir: string,
  options: ImmudbOptions,
  signal?: AbortSignal,
): Promise<Stack['immudb']> => {
  const dir = join(stackDir, 'immudb');
  const dataDir = join(dir, 'data');
  await mkdir(dir);
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const host = options.tls ? 'localhost' : loopback; // TLS clients may not ask for an IP address by name (RFC 6066)
  const security = await makeImmudbSecurity(dir, host, options);
  const channel = await channelCredentials(security.client.tls);
  const place = [`--dir=${dataDir}`, `--address=${loopback}`, `--port=${port}`, `--metrics-server-port=${metricsPort}`];
  const spec = {
    name: 'immudb',
    command: binary,
    args: [...place, ...quietFlags, ...security.flags(dir), ...(options.flags ?? [])],
    env: { IMMUDB_ADMIN_PASSWORD: security.password },
    logFile: join(dir, 'server.log'),
    answers: () => immudbAnswers(`${host}:${port}`, channel),
  };
  const server = supervisedServer(supervisor, spec, signal);
  await server.start();
  const metricsUrl = `${options.tls ? 'https' : 'http'}://${host}:${metricsPort}/metrics`;
  return { host, port, metricsUrl, dataDir, server, ...security.client };
};
