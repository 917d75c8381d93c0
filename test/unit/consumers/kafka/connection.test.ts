import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { kafkaClient, type KafkaConnectionOptions } from '../../../../src/consumers/kafka/connection.ts';
import { tokenFromFile } from '../../../../src/consumers/kafka/oauth.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'immutrail-connection-'));
});
afterAll(() => rm(dir, { recursive: true }));

const options = (given: Partial<KafkaConnectionOptions> = {}): KafkaConnectionOptions => ({
  brokers: ['127.0.0.1:1'],
  clientId: 'test',
  tls: { enabled: false, caFile: null, certFile: null, keyFile: null },
  sasl: { mechanism: 'none', username: null, passwordFile: null, tokenFile: null },
  requestTimeoutMs: 1000,
  ...given,
});

describe('what kafkajs reports', () => {
  const lines = (report: (logger: ReturnType<ReturnType<typeof kafkaClient>['logger']>) => void) => {
    const logged: unknown[][] = [];
    report(kafkaClient(options(), (...line) => logged.push(line)).logger());
    return logged;
  };

  test('is a warning where it says error or warn, and debug where it says info', () => {
    const logged = lines((logger) => {
      logger.error('e');
      logger.warn('w');
      logger.info('i');
      logger.debug('not at all');
      logger.warn('Limiting retries for the idempotent producer may invalidate EoS guarantees');
    });
    expect(logged.map(([level]) => level)).toEqual(['warn', 'warn', 'debug', 'debug']);
  });

  test('has one message, and of the fields those that are known to hold no secret', () => {
    const [line] = lines((logger) =>
      logger.error('Connection error', { broker: 'b:1', password: 'secret', payload: {}, error: new Error('why') }),
    );
    expect(line).toEqual([
      'warn',
      'the Kafka client says',
      { part: undefined, says: 'Connection error', broker: 'b:1', error: 'why' },
    ]);
  });
});

describe('files', () => {
  test('that cannot be read are told at once', () => {
    const none = join(dir, 'none');
    const tls = { enabled: true, caFile: none, certFile: null, keyFile: null };
    expect(() => kafkaClient(options({ tls }))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    const sasl = { mechanism: 'plain', username: 'me', passwordFile: none, tokenFile: null } as const;
    expect(() => kafkaClient(options({ sasl }))).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => kafkaClient(options({ sasl: { ...sasl, passwordFile: null } }))).toThrow('needs a user name');
  });

  test('with a token are read anew for each login', async () => {
    const file = join(dir, 'token');
    const token = tokenFromFile(file);
    await expect(token()).rejects.toMatchObject({ code: 'OauthTokenUnavailable', retriable: true });
    await writeFile(file, 'first\n');
    expect(await token()).toBe('first');
    await writeFile(file, 'second');
    expect(await token()).toBe('second');
  });
});
