import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { kafkaAdmin } from '../../src/consumers/kafka/admin.ts';
import { kafkaAppender } from '../../src/consumers/kafka/appender.ts';
import { kafkaClient, type KafkaConnectionOptions, type KafkaSasl } from '../../src/consumers/kafka/connection.ts';
import { PipelineError } from '../../src/errors.ts';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';
import { readUntil } from '../support/kafka-read.ts';

let stack: Stack;
let dir: string;
let secured: NonNullable<Stack['kafka']['secured']>;
let endpoint: Server;
let tokensGiven = 0;

/** RFC 6749 section 2.3.1: form-encoded before base64. */
const knownClient = `Basic ${Buffer.from('me:not%20the%20password').toString('base64')}`;

/** An unsigned token, as the listener of the stack takes them. */
const token = (claims: object): string => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  return `${part({ alg: 'none' })}.${part({ sub: 'immutrail', iat: now, exp: now + 600, ...claims })}.`;
};

beforeAll(async () => {
  stack = await startNativeStack({ kafka: { secured: true }, immudb: false });
  if (!stack.kafka.secured) throw new Error('the stack has no secured listener');
  secured = stack.kafka.secured;
  dir = await mkdtemp(join(tmpdir(), 'immutrail-logins-'));
  await writeFile(join(dir, 'wrong'), 'not the password\n');
  await writeFile(join(dir, 'token'), `${token({})}\n`);
  await writeFile(join(dir, 'expired'), token({ iat: 1000, exp: 2000 }));
  endpoint = createServer((request, answer) => {
    const isKnown = request.headers.authorization === knownClient;
    tokensGiven += isKnown ? 1 : 0;
    answer.statusCode = isKnown ? 200 : 401;
    answer.end(JSON.stringify(isKnown ? { access_token: token({}), expires_in: 600 } : { error: 'invalid_client' }));
  });
  await new Promise<void>((listening) => endpoint.listen(0, '127.0.0.1', listening));
}, 300_000);

afterAll(async () => {
  await new Promise((closed) => endpoint.close(closed));
  await stack.stop();
  await rm(dir, { recursive: true });
}, 60_000);

const options = (
  sasl: Partial<KafkaSasl>,
  tls: Partial<KafkaConnectionOptions['tls']> = {},
): KafkaConnectionOptions => ({
  brokers: secured.brokers,
  clientId: 'test',
  tls: { enabled: true, caFile: secured.caFile, certFile: null, keyFile: null, ...tls },
  sasl: { mechanism: 'none', username: secured.username, passwordFile: secured.passwordFile, tokenFile: null, ...sasl },
  requestTimeoutMs: 10_000,
  retry: { retries: 1, initialRetryTime: 50 },
});

const tokenEndpoint = (secretFile: string) => ({
  url: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`,
  clientId: 'me',
  clientSecretFile: join(dir, secretFile),
  scope: null,
});

const mechanisms: [string, () => Partial<KafkaSasl>][] = [
  ['plain', () => ({ mechanism: 'plain' })],
  ['scram-sha-256', () => ({ mechanism: 'scram-sha-256' })],
  ['scram-sha-512', () => ({ mechanism: 'scram-sha-512' })],
  ['oauthbearer with a file', () => ({ mechanism: 'oauthbearer', tokenFile: join(dir, 'token') })],
  ['oauthbearer with an endpoint', () => ({ mechanism: 'oauthbearer', tokenEndpoint: tokenEndpoint('wrong') })],
];

describe.each(mechanisms)('with %s', (name, sasl) => {
  test('admin, producer and consumer work', async () => {
    const kafka = kafkaClient(options(sasl()));
    const topic = `logins-${name.replaceAll(' ', '-')}`;
    const admin = kafkaAdmin(kafka);
    await admin.connect();
    await admin.createTopics({ topic, deadLetterTopic: `${topic}.dlq`, partitions: 1 });
    const appender = kafkaAppender({ kafka, topic, tooLarge: 'KAFKA_REFUSED' });
    expect(await appender.append(0, [{ key: null, value: Buffer.from('x'), headers: [] }])).toBe(0n);
    const messages = await readUntil(kafka, topic, 1);
    expect(messages.map(({ value }) => String(value))).toEqual(['x']);
    await Promise.all([appender.close(), admin.close()]);
  });
});

const connecting = async (given: KafkaConnectionOptions): Promise<PipelineError> => {
  const logged: unknown[] = [];
  const admin = kafkaAdmin(kafkaClient(given, (...line) => logged.push(line)));
  const error: unknown = await admin.connect().then(
    () => new Error('it connected'),
    (met: unknown) => met,
  );
  await admin.close();
  expect(JSON.stringify(logged)).not.toContain('not the password');
  if (!(error instanceof PipelineError)) throw error;
  return error;
};

test.each([
  ['plain', () => options({ mechanism: 'plain', passwordFile: join(dir, 'wrong') }), 'KAFKA_AUTH_FAILED'],
  ['scram', () => options({ mechanism: 'scram-sha-512', passwordFile: join(dir, 'wrong') }), 'KAFKA_AUTH_FAILED'],
  [
    'an expired token',
    () => options({ mechanism: 'oauthbearer', tokenFile: join(dir, 'expired') }),
    'KAFKA_AUTH_FAILED',
  ],
  [
    'a refused client',
    () => options({ mechanism: 'oauthbearer', tokenEndpoint: tokenEndpoint('token') }),
    'KAFKA_AUTH_FAILED',
  ],
  ['a missing token', () => options({ mechanism: 'oauthbearer', tokenFile: join(dir, 'none') }), 'KAFKA_UNAVAILABLE'],
  ['an unknown authority', () => options({ mechanism: 'plain' }, { caFile: null }), 'KAFKA_TLS_FAILED'],
  // The broker hangs up without a word, as one that restarts does.
  [
    'TLS to a plain port',
    () => ({ ...options({ mechanism: 'plain' }), brokers: stack.kafka.brokers }),
    'KAFKA_UNAVAILABLE',
  ],
  ['nobody there', () => ({ ...options({ mechanism: 'plain' }), brokers: ['127.0.0.1:1'] }), 'KAFKA_UNAVAILABLE'],
])('%s: a clear error', async (_, given, code) => {
  const error = await connecting(given());
  expect([error.code, error.message]).toEqual([code, error.message]);
});

test('one token serves all connections', () => {
  expect(tokensGiven).toBe(1);
});

test('a password that rotates in its file is used by the next connection', async () => {
  const file = join(dir, 'rotating');
  await writeFile(file, 'old');
  const kafka = kafkaClient(options({ mechanism: 'plain', passwordFile: file }));
  await expect(kafkaAdmin(kafka).connect()).rejects.toMatchObject({ code: 'KAFKA_AUTH_FAILED' });
  await writeFile(file, await readFile(secured.passwordFile));
  const admin = kafkaAdmin(kafka);
  await admin.connect();
  await admin.close();
});
