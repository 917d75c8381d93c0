import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeConfig, loadConfig, readSecret, wantsColour, type ConfigSource } from '../../../src/config.ts';
import { settings } from '../../../src/config/settings.ts';
import { PipelineError } from '../../../src/errors.ts';

let folder: string;
let least: Record<string, string>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'immutrail-config-'));
  least = { IMMUTRAIL_LEDGER_PASSWORD_FILE: fileOf('password', 'hunter2\n') };
});
afterAll(() => rmSync(folder, { recursive: true }));

const fileOf = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const problemsOf = (source: ConfigSource): string[] => {
  try {
    loadConfig(source);
    return [];
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'CONFIG_INVALID') throw error;
    return error.message.split('\n').slice(1);
  }
};
const problemsWith = (more: Record<string, string>): string[] => problemsOf({ environment: { ...least, ...more } });

describe('what a configuration becomes', () => {
  test('defaults fill everything but the password file', () => {
    const config = loadConfig({ environment: least });
    expect(config.kafka).toMatchObject({ brokers: ['localhost:9092'], topic: 'audit.events', group: 'immutrail' });
    expect(config.kafka).toMatchObject({
      sessionTimeoutMs: 30_000,
      heartbeatIntervalMs: 3000,
      rebalanceTimeoutMs: 60_000,
    });
    expect(config.batch).toEqual({ maxEvents: 1000, maxBytes: 4 * 1024 * 1024, maxAgeMs: 2 });
    expect(config.http).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(config.ledger.genesis).toBeNull();
  });

  test('the environment goes before the file, the file before defaults', () => {
    const file = fileOf('a.yaml', 'kafka:\n  topic: from.file\n  group: from-file\nbatch:\n  maxEvents: 10\nledger:\n');
    const config = loadConfig({ file, environment: { ...least, IMMUTRAIL_KAFKA_GROUP: 'from-env' } });
    expect(config.kafka.topic).toBe('from.file');
    expect(config.kafka.group).toBe('from-env');
    expect(config.batch.maxEvents).toBe(10);
  });

  test('IMMUTRAIL_CONFIG names the file, the option goes before it', () => {
    const one = fileOf('one.yaml', 'http: { port: 1 }');
    const two = fileOf('two.yaml', 'http: { port: 2 }');
    expect(loadConfig({ environment: { ...least, IMMUTRAIL_CONFIG: one } }).http.port).toBe(1);
    expect(loadConfig({ file: two, environment: { ...least, IMMUTRAIL_CONFIG: one } }).http.port).toBe(2);
  });

  test('text of the environment becomes numbers, booleans and lists', () => {
    const ca = fileOf('ca.pem', 'x');
    const config = loadConfig({
      environment: {
        ...least,
        IMMUTRAIL_KAFKA_BROKERS: 'a:1, [::1]:2',
        IMMUTRAIL_LEDGER_TLS_ENABLED: 'true',
        IMMUTRAIL_LEDGER_TLS_CA_FILE: ca,
        IMMUTRAIL_GAPS_MAX_LOSS: '25',
        IMMUTRAIL_KAFKA_TOPIC: '',
      },
    });
    expect(config.kafka.brokers).toEqual(['a:1', '[::1]:2']);
    expect(config.ledger.tls).toMatchObject({ enabled: true, caFile: ca });
    expect(config.gaps.maxLoss).toBe(25);
    expect(config.kafka.topic).toBe('audit.events');
  });

  test('it is frozen to the leaves', () => {
    const isFrozen = (value: object): boolean =>
      Object.isFrozen(value) &&
      Object.values(value).every((child: unknown) => typeof child !== 'object' || !child || isFrozen(child));
    expect(isFrozen(loadConfig({ environment: least }))).toBe(true);
  });
});

describe('complaints', () => {
  test('all problems come at once, each with what is allowed', () => {
    const file = fileOf('bad.yaml', 'kafka:\n  topik: x\n  sessionTimeoutMs: soon\nledgre: {}\nbatch: 7\n');
    expect(
      problemsOf({ file, environment: { IMMUTRAIL_LEDGER_PORT: '99999', IMMUTRAIL_LEDGER_PASSWORD: 'hunter2' } }),
    ).toEqual([
      '  - IMMUTRAIL_LEDGER_PASSWORD: there is no such variable; did you mean IMMUTRAIL_LEDGER_PASSWORD_FILE?',
      '  - kafka.sessionTimeoutMs: is "soon", but must be a whole number from 1000 to 1800000 (ms)',
      '  - kafka.topik: there is no such setting; did you mean kafka.topic?',
      '  - IMMUTRAIL_LEDGER_PORT: is "99999", but must be a whole number from 1 to 65535',
      '  - ledger.passwordFile (IMMUTRAIL_LEDGER_PASSWORD_FILE): must be given: the path of a readable file that holds nothing but the secret',
      '  - batch: must be a group of settings',
      '  - ledgre: there is no such setting; did you mean ledger?',
    ]);
  });

  test('a secret in the wrong place is not repeated', () => {
    const file = fileOf('secret.yaml', 'ledger:\n  password: hunter2\n  hunter2\n');
    const said = [
      ...problemsWith({ IMMUTRAIL_KAFKA_BROKERS: 'sasl://me:hunter2@broker:9092' }),
      ...problemsOf({ file, environment: { ...least, IMMUTRAIL_LEDGER_PASWORD: 'hunter2' } }),
    ];
    expect(said.length).toBeGreaterThan(2);
    expect(said.join('\n')).not.toContain('hunter2');
  });

  test('a missing file, a broken file and a list at the top are said', () => {
    expect(problemsOf({ file: '/nowhere.yaml', environment: least })).toEqual([
      '  - /nowhere.yaml: cannot be read (ENOENT)',
    ]);
    expect(problemsOf({ file: fileOf('dup.yaml', 'http: {}\nhttp: {}'), environment: least })[0]).toMatch(/unique/);
    expect(problemsOf({ file: fileOf('list.yaml', '- 1'), environment: least })[0]).toMatch(/must be a mapping/);
  });

  test('variables of others are no business of ours', () => {
    expect(problemsWith({ KAFKA_HOME: 'x', IMMUTRAIL_STACK: 'native' })).toEqual([]);
  });
});

describe('combinations', () => {
  test.each([
    [{ IMMUTRAIL_KAFKA_HEARTBEAT_INTERVAL_MS: '10001' }, /heartbeatIntervalMs: .* third/],
    [{ IMMUTRAIL_BATCH_MAX_AGE_MS: '3001' }, /batch.maxAgeMs: .* tenth/],
    [{ IMMUTRAIL_KAFKA_REBALANCE_TIMEOUT_MS: '30002' }, /rebalanceTimeoutMs: .* above 30002/],
    [{ IMMUTRAIL_BATCH_MAX_BYTES: '16777217' }, /IMMUTRAIL_BATCH_MAX_BYTES: .* to 16777216 \(bytes\)/],
    [{ IMMUTRAIL_KAFKA_FETCH_MAX_BYTES_PER_PARTITION: '20000000' }, /must be at most kafka.fetchMaxBytes/],
    [{ IMMUTRAIL_KAFKA_DEAD_LETTER_TOPIC: 'audit.events' }, /another topic/],
    [{ IMMUTRAIL_KAFKA_TOPIC: '..' }, /topic name/],
    [{ IMMUTRAIL_LEDGER_DATABASE: 'audit_trail' }, /letters and digits only/],
    [{ IMMUTRAIL_LEDGER_GENESIS: 'ABC' }, /64 hexadecimal/],
    [{ IMMUTRAIL_LEDGER_BACKOFF_INITIAL_MS: '20000' }, /backoffInitialMs/],
    [{ IMMUTRAIL_LEDGER_BYTES_PER_SECOND: '65536' }, /at least batch.maxBytes/],
    [{ IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: '/nowhere/state' }, /no folder to write in \(ENOENT\)/],
    [{ IMMUTRAIL_KAFKA_SASL_MECHANISM: 'scram-sha-512' }, /needs kafka.sasl.username and kafka.sasl.passwordFile/],
    [{ IMMUTRAIL_KAFKA_SASL_MECHANISM: 'oauthbearer' }, /needs kafka.sasl.tokenFile/],
    [{ IMMUTRAIL_KAFKA_SASL_USERNAME: 'me' }, /name the mechanism/],
    [{ IMMUTRAIL_LEDGER_TLS_ENABLED: 'true', IMMUTRAIL_LEDGER_TLS_CA_FILE: '/nowhere' }, /cannot be read \(ENOENT\)/],
    [{ IMMUTRAIL_LEDGER_TLS_SERVER_NAME: 'x' }, /ledger.tls.enabled: is false/],
    [{ IMMUTRAIL_KAFKA_REQUEST_TIMEOUT_MS: '1000', IMMUTRAIL_KAFKA_FETCH_MAX_WAIT_MS: '2000' }, /requestTimeoutMs/],
  ])('%j', (environment, complaint) => {
    const problems = problemsWith(environment);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(complaint);
  });

  test('the edge of each rule passes', () => {
    expect(
      problemsWith({
        IMMUTRAIL_KAFKA_HEARTBEAT_INTERVAL_MS: '10000',
        IMMUTRAIL_BATCH_MAX_AGE_MS: '3000',
        IMMUTRAIL_KAFKA_REBALANCE_TIMEOUT_MS: '33001',
        IMMUTRAIL_BATCH_MAX_BYTES: '16777216',
      }),
    ).toEqual([]);
  });

  test('certificate and key need each other; an empty secret is a problem', () => {
    const cert = fileOf('cert.pem', 'x');
    expect(problemsWith({ IMMUTRAIL_KAFKA_TLS_ENABLED: 'true', IMMUTRAIL_KAFKA_TLS_CERT_FILE: cert })[0]).toMatch(
      /either/,
    );
    expect(problemsWith({ IMMUTRAIL_LEDGER_PASSWORD_FILE: fileOf('empty', '\n') })[0]).toMatch(/is empty/);
  });
});

describe('settings', () => {
  test('every one is described, and its variable is its own', () => {
    expect(settings.length).toBeGreaterThan(50);
    expect(settings.every(({ meaning, allowed }) => meaning.endsWith('.') && allowed !== '')).toBe(true);
    expect(new Set(settings.map(({ variable }) => variable)).size).toBe(settings.length);
  });

  test('every time and size says its unit', () => {
    for (const { path, unit } of settings) {
      if (path.at(-1)?.endsWith('Ms')) expect([path.join('.'), unit]).toEqual([path.join('.'), 'ms']);
      if (path.at(-1)?.includes('Bytes'))
        expect([path.join('.'), unit]).toEqual([path.join('.'), expect.stringMatching(/^bytes/)]);
    }
  });

  test('describeConfig shows every effective value and no secret', () => {
    const shown = describeConfig(loadConfig({ environment: least }));
    expect(Object.keys(shown)).toEqual(settings.map(({ path }) => path.join('.')));
    expect(shown['kafka.tls.enabled']).toBe(false);
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });
});

test('a secret is read without the end of its line, each time anew', () => {
  const file = fileOf('rotating', ' a b \n');
  expect(readSecret(file)).toBe(' a b ');
  fileOf('rotating', 'new');
  expect(readSecret(file)).toBe('new');
  expect(() => readSecret('/nowhere')).toThrow(/reading the secret in \/nowhere/);
});

test('colours only on a terminal that wants them', () => {
  expect(wantsColour(true, {})).toBe(true);
  expect(wantsColour(false, {})).toBe(false);
  expect(wantsColour(true, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColour(true, { TERM: 'dumb' })).toBe(false);
});
