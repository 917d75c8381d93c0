import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Audited } from '../../src/cli/audit.ts';
import { kafkaPublisher } from '../../src/consumers/kafka/publisher.ts';
import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { encodeSetRequest } from '../../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { signNote } from '../../src/proofs/note.ts';
import { makeKeyFile, readSigner } from '../../src/sinks/checkpoints/key-file.ts';
import { decodeMark, encodeMark } from '../../src/sinks/immudb/format/mark-value.ts';
import { markKey } from '../../src/sinks/immudb/format/keys.ts';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Stack } from '../../stack/stack.ts';
import { load, testEvent, testKafka } from '../support/load.ts';
import { openSite, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { untilCaughtUp } from '../support/site-account.ts';
import { connect } from '../support/written-ledger.ts';

// `immutrail audit` on what the pipeline wrote, on real servers, as an operator runs it.

let stack: Stack;
let site: Site;
const keys = { folder: '', signing: '' };

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
  keys.folder = await mkdtemp(join(tmpdir(), 'immutrail-checkpoints-'));
  keys.signing = join(keys.folder, 'signing.key');
  await makeKeyFile(keys.signing, 'audit.test');
  const env = {
    IMMUTRAIL_CHECKPOINTS_SIGNING_KEY_FILES: keys.signing,
    IMMUTRAIL_CHECKPOINTS_FOLDER: keys.folder,
    IMMUTRAIL_CHECKPOINTS_EVERY_MS: '100',
  };
  site = await openSite(stack, { partitions: 4, env });
  await filled(2000);
}, 180_000);
afterAll(async () => {
  await site.close();
  await rm(keys.folder, { recursive: true, force: true });
});

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
  expect(text.out).toMatch(
    /^transactions (\d+)\/\1, events (\d+)\/\2, offsets 2000\/2000, checkpoints (\d+)\/\3, postings (\d+)\/\4\n/,
  );
  expect(text.out).toContain('✓ everything holds');
}, 120_000);

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
}, 120_000);

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
}, 120_000);

test('a duplicate in other words than its event is of the same content', async () => {
  const event = testEvent();
  const values = [JSON.stringify(event), JSON.stringify(event, null, 1)];
  const running = await site.run();
  const publisher = kafkaPublisher({ kafka: testKafka(stack) });
  const messages = values.map((text) => ({ key: 'reworded', value: Buffer.from(text), headers: {} }));
  await publisher.send(site.topic, messages).finally(() => publisher.close());
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  await running.exited;
  const { code, report } = await audited();
  expect([code, report.deviations.listed]).toEqual([0, []]);
  expect(report.reworded).toEqual({ held: 1, of: 1, gone: 0 });
  expect((await site.command(['audit'])).out).toContain(
    'duplicates of other bytes than their event: 1/1 of the same content',
  );
}, 120_000);

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
}, 120_000);

test('every checkpoint of the topic and the folder is held against the ledger', async () => {
  const { folder, signing } = keys;
  const { code, report } = await audited();
  expect([code, report.deviations.listed]).toEqual([0, []]);
  const names = (await readdir(folder)).filter((name) => name.endsWith('.checkpoint')).toSorted();
  // Those of the folder lie on the topic, too, and count once.
  expect(report.checkpoints).toEqual({ held: names.length, of: names.length });
  expect(names.length).toBeGreaterThanOrEqual(2);
  const second = names[1] ?? '';
  const note = await readFile(join(folder, second), 'utf8');
  await writeFile(join(folder, second), note.replace('epoch', 'epoxy'));
  const hurt = await audited();
  await writeFile(join(folder, second), note);
  expect(hurt.report.deviations.listed).toEqual([
    expect.objectContaining({
      kind: 'checkpoint',
      key: second,
      what: expect.stringContaining('no checkpoint') as unknown,
    }),
  ]);
  // Signed anew by a thief of the key, who leaves one partition out.
  const text = note.split('\n\n')[0] ?? '';
  const fewer = `${text.split('\n').slice(0, -1).join('\n')}\n`;
  const planted = join(folder, second.replace(/.{16}(?=\.checkpoint)/, '0'.repeat(16)));
  await writeFile(planted, signNote(fewer, [readSigner(signing)]));
  const stolen = await audited();
  expect(stolen.report.deviations.listed).toContainEqual(
    expect.objectContaining({
      kind: 'checkpoint',
      what: expect.stringContaining('its coverage is not that') as unknown,
    }),
  );
  await rm(planted);
}, 120_000);

test('an audit may begin behind the newest checkpoint', async () => {
  const { code, report } = await audited('--from-checkpoint');
  expect([code, report.deviations.listed]).toEqual([0, []]);
  expect(report.anchors).toContainEqual(expect.stringMatching(/^the checkpoint of transaction \d+$/));
  const none = await site.command(['audit', '--from-checkpoint', '--ledger-only'], {
    IMMUTRAIL_CHECKPOINTS_FOLDER: '',
  });
  expect([none.code, none.out]).toEqual([2, '']);
}, 120_000);

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
  }, 120_000);
});
