import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

const root = process.cwd();
const rules = '.dependency-cruiser.mjs';

// One import against each rule, in a project of their own: `rule: [from, to]`. A library is named by its package.
const forbidden: Readonly<Record<string, readonly [from: string, to: string]>> = {
  'no-tests-in-src': ['src/wire/a.ts', 'test/a.ts'],
  'proofs-know-nothing': ['src/proofs/a.ts', 'src/errors.ts'],
  'proofs-need-no-node': ['src/proofs/b.ts', 'node:crypto'],
  'errors-know-nothing': ['src/errors.ts', 'src/schemas/record.ts'],
  'schemas-know-errors-only': ['src/schemas/a.ts', 'src/telemetry.ts'],
  'consumers-know-no-sinks': ['src/consumers/a.ts', 'src/sinks/sink.ts'],
  'sinks-know-no-consumers': ['src/sinks/a.ts', 'src/consumers/source.ts'],
  'pipeline-knows-the-ports': ['src/pipeline/a.ts', 'src/sinks/with-retry.ts'],
  'queries-read': ['src/queries/a.ts', 'src/consumers/source.ts'],
  'redrive-acts-on-the-ledger': ['src/redrive/a.ts', 'src/consumers/source.ts'],
  'producers-are-for-services': ['src/producers/a.ts', 'src/config.ts'],
  'only-main-knows-wire': ['src/http/a.ts', 'src/wire/run.ts'],
  'faces-are-thin': ['src/cli/a.ts', 'src/pipeline/deliver.ts'],
  'kafkajs-has-one-owner': ['src/sinks/b.ts', 'kafkajs'],
  'grpcgrpc-js-has-one-owner': ['src/consumers/b.ts', '@grpc/grpc-js'],
  'protobufjs-has-one-owner': ['src/sinks/immudb/a.ts', 'protobufjs'],
  'pino-has-one-owner': ['src/wire/b.ts', 'pino'],
  'pino-pretty-has-one-owner': ['src/wire/c.ts', 'pino-pretty'],
  'prom-client-has-one-owner': ['src/telemetry/a.ts', 'prom-client'],
  'fastify-has-one-owner': ['src/http/b.ts', 'fastify'],
  'commander-has-one-owner': ['src/main.ts', 'commander'],
  'cli-table-has-one-owner': ['src/cli/b.ts', 'cli-table3'],
  'picocolors-has-one-owner': ['src/cli/c.ts', 'picocolors'],
  'bottleneck-has-one-owner': ['src/sinks/c.ts', 'bottleneck'],
  'yaml-has-one-owner': ['src/wire/d.ts', 'yaml'],
  'snappy-has-one-owner': ['src/consumers/kafka/a.ts', 'snappy'],
  'kafkajsconfluent-schema-registry-has-one-owner': ['src/schemas/registry/a.ts', '@kafkajs/confluent-schema-registry'],
  'avsc-has-one-owner': ['src/schemas/c.ts', 'avsc'],
  'lz-napi-has-one-owner': ['src/sinks/d.ts', 'lz4-napi'],
};

// The nearest imports that are right: rules that refuse everything would prove nothing.
const allowed: readonly (readonly [from: string, to: string])[] = [
  ['src/pipeline/c.ts', 'src/sinks/sink.ts'],
  ['src/pipeline/d.ts', 'src/consumers/source.ts'],
  ['src/sinks/e.ts', 'src/proofs/hash.ts'],
  ['src/wire/e.ts', 'src/pipeline/deliver.ts'],
  ['src/consumers/kafka/b.ts', 'kafkajs'],
  ['src/sinks/immudb/b.ts', '@grpc/grpc-js'],
  ['src/telemetry/metrics.ts', 'prom-client'],
  ['src/http/server.ts', 'fastify'],
];

type Violation = { readonly rule: { readonly name: string }; readonly from: string };

let folder: string;
let violations: readonly Violation[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'immutrail-directions-'));
  cpSync(join(root, rules), join(folder, rules));
  put('tsconfig.json', '{ "compilerOptions": { "allowImportingTsExtensions": true, "module": "nodenext" } }');
  put('package.json', JSON.stringify({ type: 'module', dependencies: librariesOfOurs() }));
  for (const [from, to] of [...Object.values(forbidden), ...allowed]) putImport(from, to);
  put('src/schemas/round.ts', "import './trip.ts';\nexport const a = 1;");
  put('src/schemas/trip.ts', "import './round.ts';\nexport const a = 1;");
  violations = cruised();
});
afterAll(() => rmSync(folder, { recursive: true }));

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};

const librariesOfOurs = (): unknown =>
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: unknown }).dependencies;

const written = new Set<string>();
const putImport = (from: string, to: string): void => {
  const isFile = /^(src|test)\//.test(to);
  const path = isFile ? relative(dirname(from), to).replace(/^(?!\.)/, './') : to;
  put(from, `import * as other from '${path}';\nexport const used = other;\n`);
  written.add(from);
  if (isFile && !written.has(to)) put(to, 'export const a = 1;\n');
  if (!isFile && !to.startsWith('node:')) {
    put(`node_modules/${to}/package.json`, JSON.stringify({ name: to, version: '1.0.0', main: 'index.js' }));
    put(`node_modules/${to}/index.js`, 'module.exports = {};');
  }
};

const cruised = (): readonly Violation[] => {
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const run = spawnSync(process.execPath, [bin, '--config', rules, '--output-type', 'json', 'src'], {
    cwd: folder,
    encoding: 'utf8',
    // The flags that jest needs are none of this process's.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const { summary } = JSON.parse(run.stdout) as { summary: { violations: readonly Violation[]; error: number } };
  expect(summary.error).toBe(summary.violations.length);
  return summary.violations;
};

describe('import directions', () => {
  test('every rule has an example here', async () => {
    const { default: config } = (await import(join(root, rules))) as { default: { forbidden: { name: string }[] } };
    expect(['no-cycles', ...Object.keys(forbidden)].sort()).toEqual(config.forbidden.map(({ name }) => name).sort());
  });

  test.each(Object.entries(forbidden))('%s refuses %j', (rule, [from]) => {
    expect(violations.filter((one) => one.from === from).map((one) => one.rule.name)).toContain(rule);
  });

  test('no-cycles refuses a round trip', () => {
    expect(violations.some(({ rule, from }) => rule.name === 'no-cycles' && from.includes('/schemas/'))).toBe(true);
  });

  test.each(allowed)('%s may import %s', (from) => {
    expect(violations.filter((one) => one.from === from)).toEqual([]);
  });
});
