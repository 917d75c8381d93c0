import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { settings } from '../../../src/config/settings.ts';

type Service = {
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly secrets?: readonly string[];
  readonly mem_limit?: string;
};
type ComposeFile = {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};

const root = join(import.meta.dirname, '../../..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const compose = parse(text, { merge: true }) as ComposeFile;
const services = Object.entries(compose.services);

describe('docker-compose.yml', () => {
  test('every variable for the pipeline is a setting that exists', () => {
    const known = new Set(settings.map(({ variable }) => variable));
    const used = services.flatMap(([, { environment = {} }]) => Object.keys(environment));
    const ours = used.filter((name) => name.startsWith('IMMUTRAIL_'));
    expect(ours.length).toBeGreaterThan(4);
    expect(ours.filter((name) => !known.has(name))).toEqual([]);
  });

  test('no password stands in it: each comes from a file of the secrets', () => {
    const values = services.flatMap(([, { environment = {} }]) => Object.entries(environment));
    const passwords = values.filter(([name]) => /password|secret/i.test(name));
    expect(passwords.length).toBeGreaterThan(0);
    for (const [, value] of passwords) expect(value).toMatch(/^\/run\/secrets\//);
    const used = new Set(services.flatMap(([, { secrets = [] }]) => secrets));
    expect(used).toEqual(new Set(Object.keys(compose.secrets)));
  });

  test('nothing is published beyond this machine, and every service has a limit of memory', () => {
    for (const [name, { ports = [], mem_limit: limit }] of services) {
      for (const port of ports) expect(`${name} ${port}`).toMatch(/ 127\.0\.0\.1:/);
      expect(`${name} ${limit ?? 'without limit'}`).toMatch(/\d+[mg]$/);
    }
  });

  test.each(['Dockerfile', 'stack/Dockerfile'])(
    '%s asks for no frontend, which would be one more image to pull',
    (file) => {
      expect(readFileSync(join(root, file), 'utf8')).not.toMatch(/^#\s*syntax=/im);
    },
  );
});

describe('deploy/make-secrets.sh', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'immutrail-secrets-'));
    cpSync(join(root, 'deploy/make-secrets.sh'), join(dir, 'deploy/make-secrets.sh'));
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const run = (): string => execFileSync('sh', [join(dir, 'deploy/make-secrets.sh')], { encoding: 'utf8' });
  const secret = (name: string): string => readFileSync(join(dir, '.demo/secrets', name), 'utf8');

  test('makes every file that the compose file names, with random passwords, in a closed folder', () => {
    run();
    for (const { file } of Object.values(compose.secrets)) expect(statSync(join(dir, file)).size).toBeGreaterThan(30);
    expect(secret('immudb.toml')).toBe(`admin-password = "${secret('immudb-password')}"\n`);
    expect(secret('pipeline-password')).not.toBe(secret('immudb-password'));
    expect(statSync(join(dir, '.demo/secrets')).mode & 0o777).toBe(0o700);
  });

  test('a second time changes nothing: the servers have the old passwords', () => {
    const before = secret('pipeline-password');
    expect(run()).toContain('there already');
    expect(secret('pipeline-password')).toBe(before);
  });
});
