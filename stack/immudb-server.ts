/** One native immudb: its own data, a password made for it alone, TLS and a signing key when asked for. */
import { Client, credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAuthority } from './certificates.ts';
import { freePorts } from './free-ports.ts';
import type { Stack, StackOptions } from './stack.ts';
import { supervisedServer } from './supervised-server.ts';
import type { Supervisor } from './supervised.ts';

type ImmudbOptions = Exclude<StackOptions['immudb'], false | undefined>;
type Tls = NonNullable<Stack['immudb']['tls']>;

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

export const channelCredentials = async (tls: Tls | undefined): Promise<ChannelCredentials> => {
  if (!tls) return credentials.createInsecure();
  const ca = await readFile(tls.caFile);
  if (tls.keyFile === undefined || tls.certFile === undefined) return credentials.createSsl(ca);
  return credentials.createSsl(ca, await readFile(tls.keyFile), await readFile(tls.certFile));
};

/** A password that immudb accepts everywhere: it wants each kind of character in those it is given over the wire. */
export const makePassword = (): string => `${randomBytes(18).toString('base64url')}-aA1!`;

const makeTls = async (dir: string, kind: 'server' | 'mutual'): Promise<{ flags: string[]; tls: Tls }> => {
  const authority = makeAuthority('immutrail test CA');
  const server = authority.issue('immudb', ['localhost', loopback]);
  const client = authority.issue('immutrail', ['localhost']);
  const file = (name: string): string => join(dir, name);
  await writeFile(file('ca.pem'), authority.certificate);
  await writeFile(file('server.pem'), server.certificate);
  await writeFile(file('server-key.pem'), server.key, { mode: 0o600 });
  await writeFile(file('client.pem'), client.certificate);
  await writeFile(file('client-key.pem'), client.key, { mode: 0o600 });
  const flags = [`--certificate=${file('server.pem')}`, `--pkey=${file('server-key.pem')}`];
  if (kind === 'server') return { flags, tls: { caFile: file('ca.pem') } };
  return {
    flags: [...flags, '--mtls', `--clientcas=${file('ca.pem')}`],
    tls: { caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client-key.pem') },
  };
};

/** immudb wants an EC key on P-256 in the SEC 1 form. */
const makeSigningKey = async (dir: string): Promise<{ keyFile: string; publicKeyFile: string }> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = { keyFile: join(dir, 'signing-key.pem'), publicKeyFile: join(dir, 'signing-key.pub.pem') };
  await writeFile(files.keyFile, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  await writeFile(files.publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  return files;
};

export const startImmudb = async (
  supervisor: Supervisor,
  binary: string,
  stackDir: string,
  options: ImmudbOptions,
  signal?: AbortSignal,
): Promise<Stack['immudb']> => {
  const dir = join(stackDir, 'immudb');
  await mkdir(dir);
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const security = options.tls && (await makeTls(dir, options.tls));
  const signing = options.signingKey ? await makeSigningKey(dir) : undefined;
  const password = makePassword();
  const passwordFile = join(dir, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const dataDir = join(dir, 'data');
  const host = options.tls ? 'localhost' : loopback; // TLS clients may not ask for an IP address by name (RFC 6066)
  const channel = await channelCredentials(security?.tls);
  const fixed = [`--dir=${dataDir}`, `--address=${loopback}`, `--port=${port}`, `--metrics-server-port=${metricsPort}`];
  const spec = {
    name: 'immudb',
    command: binary,
    args: [
      ...fixed,
      '--web-server=false',
      '--pgsql-server=false',
      ...(security?.flags ?? []),
      ...(signing ? [`--signingKey=${signing.keyFile}`] : []),
      ...(options.flags ?? []),
    ],
    env: { IMMUDB_ADMIN_PASSWORD: password },
    logFile: join(dir, 'server.log'),
    answers: () => immudbAnswers(`${host}:${port}`, channel),
  };
  const server = supervisedServer(supervisor, spec, signal);
  await server.start();
  return {
    host,
    port,
    username: 'immudb',
    passwordFile,
    metricsUrl: `${options.tls ? 'https' : 'http'}://${host}:${metricsPort}/metrics`,
    dataDir,
    server,
    ...(security && { tls: security.tls }),
    ...(signing && { signingPublicKeyFile: signing.publicKeyFile }),
  };
};
