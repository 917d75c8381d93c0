/** What an immudb of the stack shows and asks for: its password, certificates, the key that signs its state. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { credentials, type ChannelCredentials } from '@grpc/grpc-js';
import { makeAuthority } from './certificates.ts';
import type { Stack, StackOptions } from './stack.ts';

export type ImmudbOptions = Exclude<StackOptions['immudb'], false | undefined>;
type Tls = NonNullable<Stack['immudb']['tls']>;

export type ImmudbSecurity = {
  readonly password: string;
  /** Names of the files in the folder that the server itself must read. */
  readonly serverFiles: readonly string[];
  /** The flags that tell the server of them; `at` is the folder as the server sees it. */
  readonly flags: (at: string) => readonly string[];
  /** What clients must know. */
  readonly client: Pick<Stack['immudb'], 'username' | 'passwordFile' | 'tls' | 'signingPublicKeyFile'>;
};

type Part = Pick<ImmudbSecurity, 'serverFiles' | 'flags'>;

/** A password that immudb accepts everywhere: it wants each kind of character in those it is given over the wire. */
const makePassword = (): string => `${randomBytes(18).toString('base64url')}-aA1!`;

const makeTls = async (dir: string, host: string, kind: 'server' | 'mutual'): Promise<Part & { tls: Tls }> => {
  const authority = makeAuthority('immutrail test CA');
  const server = authority.issue('immudb', [...new Set(['localhost', '127.0.0.1', host])]);
  const client = authority.issue('immutrail', ['localhost']);
  const file = (name: string): string => join(dir, name);
  await writeFile(file('ca.pem'), authority.certificate);
  await writeFile(file('server.pem'), server.certificate);
  await writeFile(file('server-key.pem'), server.key, { mode: 0o600 });
  await writeFile(file('client.pem'), client.certificate);
  await writeFile(file('client-key.pem'), client.key, { mode: 0o600 });
  const flags = (at: string) => [`--certificate=${join(at, 'server.pem')}`, `--pkey=${join(at, 'server-key.pem')}`];
  const serverFiles = ['server.pem', 'server-key.pem'];
  if (kind === 'server') return { flags, serverFiles, tls: { caFile: file('ca.pem') } };
  return {
    flags: (at) => [...flags(at), '--mtls', `--clientcas=${join(at, 'ca.pem')}`],
    serverFiles: [...serverFiles, 'ca.pem'],
    tls: { caFile: file('ca.pem'), certFile: file('client.pem'), keyFile: file('client-key.pem') },
  };
};

/** immudb wants an EC key on P-256 in the SEC 1 form. */
const makeSigningKey = async (dir: string): Promise<Part & { signingPublicKeyFile: string }> => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signingPublicKeyFile = join(dir, 'signing-key.pub.pem');
  await writeFile(join(dir, 'signing-key.pem'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  await writeFile(signingPublicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  const flags = (at: string) => [`--signingKey=${join(at, 'signing-key.pem')}`];
  return { flags, serverFiles: ['signing-key.pem'], signingPublicKeyFile };
};

/** Writes all files into `dir`, secrets for their owner alone. `host` is what clients call the server. */
export const makeImmudbSecurity = async (
  dir: string,
  host: string,
  { tls, signingKey }: ImmudbOptions,
): Promise<ImmudbSecurity> => {
  const password = makePassword();
  const passwordFile = join(dir, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const secure = tls && (await makeTls(dir, host, tls));
  const signing = signingKey ? await makeSigningKey(dir) : undefined;
  const parts: Part[] = [secure, signing].filter((part) => part !== undefined);
  return {
    password,
    serverFiles: parts.flatMap(({ serverFiles }) => serverFiles),
    flags: (at) => parts.flatMap(({ flags }) => flags(at)),
    client: {
      username: 'immudb',
      passwordFile,
      ...(secure && { tls: secure.tls }),
      ...(signing && { signingPublicKeyFile: signing.signingPublicKeyFile }),
    },
  };
};

export const channelCredentials = async (tls: Tls | undefined): Promise<ChannelCredentials> => {
  if (!tls) return credentials.createInsecure();
  const ca = await readFile(tls.caFile);
  if (tls.keyFile === undefined || tls.certFile === undefined) return credentials.createSsl(ca);
  return credentials.createSsl(ca, await readFile(tls.keyFile), await readFile(tls.certFile));
};
