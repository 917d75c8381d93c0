import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Audited } from '../../src/cli/audit.ts';
import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { encodeSetRequest } from '../../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { decodeMark, encodeMark } from '../../src/sinks/immudb/format/mark-value.ts';
import { markKey } from '../../src/sinks/immudb/format/keys.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack } from '../../stack/stack.ts';
import { load, testKafka } from '../support/load.ts';
import { openSite, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { untilCaughtUp } from '../support/site-account.ts';
import { connect } from '../support/written-ledger.ts';

// `immutrail audit` on what the pipeline wrote, on real servers, as an operator runs it.

let stack: Stack;
let site: Site;

const audited = async (...more: readonly string[]): Promise<{ code: number | null; report: Audited }> => {
  const { code, out, err } = await site.command(['audit', '--json', ...more]);
  if (out === '') throw new Error(`no report: ${err}`);
  return { code, report: JSON.parse(out) as Audited };
};

/** Produces and waits until the pipeline has stored everything. */
const filled = async (count: number): Promise<void> => {
  const running = await site.run();
  await load(stack, { topic: site.topic, count, duplicateEvery: 7, poisonEvery: 11 });
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
};

beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 4 });
  await filled(2000);
}, 180_000);
afterAll(() => site.close());

test('what the pipeline wrote holds, also against Kafka, and the exit code is 0', async () => {
  const { code, report } = await audited();
  expect(report.deviations).toEqual({ total: 0, byKind: {}, listed: [] });
  expect(code).toBe(0);
  const { transactions, events, offsets, postings, originals, deadLetters } = report;
  for (const { held, of } of [transactions, events, offsets, postings]) expect(held).toBe(of);
  expect(offsets.of).toBe(2000);
  expect(originals).toEqual({ held: 2000, of: 2000, gone: 0 });
  expect(deadLetters?.of).toBeGreaterThan(100);
  expect(deadLetters).toEqual({ held: deadLetters?.of, of: deadLetters?.of, gone: 0 });
  expect(report.anchors.length).toBe(1);
  const text = await site.command(['audit'], { IMMUTRAIL_LEDGER_GENESIS: site.genesis });
  expect(text.out).toMatch(/^transactions (\d+)\/\1, events (\d+)\/\2, offsets 2000\/2000, postings (\d+)\/\3\n/);
  expect(text.out).toContain('✓ everything holds');
}, 60_000);

test('records that Kafka deleted are counted as gone, and nothing else', async () => {
  const admin = testKafka(stack).admin();
  await admin.connect();
  await admin.fetchTopicMetadata({ topics: [site.topic] });
  const below = { topic: site.topic, partitions: [{ partition: 1, offset: '100' }] };
  await admin.deleteTopicRecords(below).finally(() => admin.disconnect());
  const { code, report } = await audited();
  expect([code, report.deviations.listed]).toEqual([0, []]);
  expect(report.originals).toEqual({ held: 1900, of: 1900, gone: 100 });
  expect((await audited('--ledger-only')).report).toMatchObject({ holds: true, originals: null, deadLetters: null });
}, 60_000);

test('an auditor who may only read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'immutrail-auditor-'));
  const passwordFile = join(folder, 'password');
  const password = 'Auditor-1!auditor';
  await writeFile(passwordFile, password, { mode: 0o600 });
  const { host, port, username, passwordFile: adminFile } = stack.immudb;
  const connection = { host, port, username, password: passwordFromFile(adminFile) };
  const admin = await openLedgerAdmin(connection);
  const auditor = { username: `auditor${process.pid}`, password, permission: 'read', database: site.database } as const;
  await admin.createUser(auditor).finally(() => admin.close());
  const env = { IMMUTRAIL_LEDGER_USERNAME: auditor.username, IMMUTRAIL_LEDGER_PASSWORD_FILE: passwordFile };
  const { code, out, err } = await site.command(['audit'], env);
  await rm(folder, { recursive: true });
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('✓ everything holds');
}, 60_000);

test('without anything to hold it against, or with another genesis, it says so', async () => {
  const IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE = join(tmpdir(), `immutrail-nothing-${process.pid}.json`);
  const alone = await site.command(['audit'], { IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE });
  expect([alone.code, alone.out]).toEqual([2, '']);
  expect(alone.err).toContain('LEDGER_TRUST_MISSING');
  const other = await site.command(['audit'], {
    IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE,
    IMMUTRAIL_LEDGER_GENESIS: 'ab'.repeat(32),
  });
  expect([other.code, other.out]).toEqual([
    30,
    expect.stringContaining('trust: transaction 1: it is not the genesis that is pinned'),
  ]);
}, 60_000);

describe('somebody with write access', () => {
  test('states records as a gap: the mark is in order, but Kafka has a record there', async () => {
    const key = Buffer.from(markKey(1, 0));
    const producer = testKafka(stack).producer({ allowAutoTopicCreation: false });
    await producer.connect();
    await producer.send({ topic: site.topic, messages: [{ partition: 0, value: '{"what":"nobody shall know"}' }] });
    await producer.disconnect();
    const client = await connect(stack.immudb, site.database);
    try {
      const before = await client.get(key);
      if (before === null) throw new Error('no mark');
      const { next, last } = decodeMark(markKey(1, 0), before.value);
      const value = encodeMark({
        ...{ first: next, next: next + 1n, prev: { tx: before.tx, next }, last, stored: 0, duplicates: [], dead: [] },
        ...{ gaps: [{ from: next, to: next + 1n, reason: 'aborted' }], writer: 'a stranger' },
      });
      const { id } = await client.set(encodeSetRequest({ entries: [{ key, value }] }));
      const { code, report } = await audited();
      expect(code).toBe(30);
      expect(report.deviations.listed).toEqual([
        {
          ...{ kind: 'original', tx: id.toString(), key: key.toString() },
          what: `partition 0 offset ${next.toString()}: a gap is stated (aborted), but Kafka has a record at ${next.toString()}`,
        },
      ]);
    } finally {
      await client.close();
    }
  }, 60_000);
});
