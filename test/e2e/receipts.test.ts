import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseReceipt } from '../../src/proofs/receipt.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import { load } from '../support/load.ts';
import { openSite, type Addresses, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { typedAt } from '../support/typed.ts';

let stack: Addresses;
let site: Site;
let typed: Site['command'];
let publicKey: string;
let ids: readonly string[];
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 3 });
  typed = typedAt(site);
  const file = join(site.folder, 'signing.key');
  const made = await typed(['--json', 'keys', 'make', file, '--name', 'audit.test/1']);
  publicKey = (JSON.parse(made.out) as { publicKey: string }).publicKey;
  const produced = await load(stack, { topic: site.topic, count: 1500, duplicateEvery: 30, poisonEvery: 100 });
  ids = [...produced.ids];
  const running = await site.run({
    IMMUTRAIL_CHECKPOINTS_SIGNING_KEY_FILES: file,
    IMMUTRAIL_CHECKPOINTS_EVERY_MS: '300',
    IMMUTRAIL_BATCH_MAX_EVENTS: '100',
  });
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  await running.exited;
}, 180_000);
afterAll(() => site.close());

const believing = () => ({ IMMUTRAIL_CHECKPOINTS_PUBLIC_KEYS: publicKey });
/** Nothing of the site: no server, no configuration. */
const alone = {
  IMMUTRAIL_KAFKA_BROKERS: '127.0.0.1:1',
  IMMUTRAIL_LEDGER_PORT: '1',
  IMMUTRAIL_LEDGER_PASSWORD_FILE: '/none',
};
const verify = (file: string, ...more: readonly string[]) => typed(['verify', file, ...more], alone);

test('an event of every transaction has a receipt that anybody can verify, with nothing but the key', async () => {
  const { events } = await accountSite(stack, site);
  const byTx = new Map([...events].map(([id, tx]) => [tx, id]));
  expect(byTx.size).toBeGreaterThan(10);
  const some = [...byTx].filter((_, i, all) => i % 4 === 0 || i >= all.length - 2);
  for (const [tx, id] of some) {
    const made = await typed(['receipt', id.toUpperCase()], believing());
    expect([made.code, made.err]).toEqual([0, '']);
    const file = join(site.folder, `${id}.json`);
    writeFileSync(file, made.out);
    const verified = await verify(file, '--key', publicKey, '--json');
    expect([verified.code, verified.err]).toEqual([0, '']);
    expect(JSON.parse(verified.out)).toMatchObject({
      holds: true,
      eventId: id,
      tx: tx.toString(),
      signer: { trust: 'pinned', keys: [publicKey] },
      event: { event_id: id },
    });
  }
}, 240_000);

test('verify says what was not proven, and its exit code is 0 only if all holds', async () => {
  const file = join(site.folder, 'one.json');
  writeFileSync(file, (await typed(['receipt', ids[7] ?? ''], believing())).out);
  const text = readFileSync(file, 'utf8');
  // As somebody runs it who has nothing of ours.
  const pinned = await site.command(['verify', file, '--key', publicKey], alone);
  expect([pinned.code, pinned.err]).toEqual([0, '']);
  expect(pinned.out).toContain('which you gave');
  expect(pinned.out).toContain("immudb's own signature of that state: absent");
  expect(pinned.out).toContain('not shown by a receipt');
  const unpinned = await site.command(['verify', file], alone);
  expect([unpinned.code, unpinned.out.includes('anybody may have made it')]).toEqual([49, true]);

  const refused = async (changed: string, ...more: readonly string[]) => {
    const other = join(site.folder, 'changed.json');
    writeFileSync(other, changed);
    const { code, out, err } = await verify(other, '--key', publicKey, ...more);
    expect([out, /^\s+at /m.test(err)]).toEqual(['', false]);
    return [code, /^error ([A-Z_]+)/.exec(err)?.[1]];
  };
  expect(await refused(text.replace('gateway.signal.received', 'gateway.signal.deceived'))).toEqual([
    48,
    'VERIFY_FAILED',
  ]);
  expect(await refused(text.replace(/covers 0001\/00000 \d+/, 'covers 0001/00000 9'))).toEqual([48, 'VERIFY_FAILED']);
  expect(await refused(text.slice(0, -40))).toEqual([48, 'VERIFY_FAILED']);
  expect(await refused('')).toEqual([48, 'VERIFY_FAILED']);
  const { keys } = parseReceipt(text, sha256);
  expect(keys).toHaveLength(1);
  const stranger = 'audit.test/1+a5c2b24e+AWjVc7rimyVDgBUu1CuQpFpalhzx5gMAf7y4JUrZdnt7';
  expect((await verify(file, '--key', stranger)).code).toBe(2);
  expect((await verify(join(site.folder, 'none.json'), '--key', publicKey)).code).toBe(2);
}, 180_000);

test('what cannot have a receipt is told so, with advice', async () => {
  const [id = ''] = ids;
  const cases: [string, readonly string[], Record<string, string>, number, string][] = [
    ['no event', ['receipt', '0198c2f4-7c1e-7abc-8def-0123456789ab'], believing(), 2, 'EVENT_UNKNOWN'],
    ['no id', ['receipt', 'x'], believing(), 2, 'USAGE'],
    ['no keys', ['receipt', id], {}, 2, 'CHECKPOINT_KEYS_MISSING'],
    [
      'no checkpoint',
      ['receipt', id, '--wait', '0.1'],
      { ...believing(), IMMUTRAIL_CHECKPOINTS_TOPIC: 'no.such.topic' },
      75,
      'CHECKPOINT_PENDING',
    ],
  ];
  for (const [what, args, env, code, name] of cases) {
    const asked = await typed(args, env);
    expect([what, asked.code, asked.out]).toEqual([what, code, '']);
    expect(asked.err).toContain(`error ${name}`);
  }
}, 180_000);

test('an export proves itself, and says what it does not prove', async () => {
  const signing = { ...believing(), IMMUTRAIL_CHECKPOINTS_SIGNING_KEY_FILES: join(site.folder, 'signing.key') };
  const { events } = await accountSite(stack, site);
  const type = 'gateway.signal.received';
  const [walked, indexed, table] = ['walked.ndjson', 'indexed.ndjson', 'table.csv'].map((name) =>
    join(site.folder, name),
  );
  const exporting = async (file = '', ...more: readonly string[]) => {
    const exported = await typed(['export', '--type', type, '--out', file, ...more], signing);
    expect([exported.code, exported.err]).toEqual([0, '']);
    return exported.out;
  };
  expect(await exporting(walked, '--walk')).toContain('complete: every transaction was read');
  expect(await exporting(indexed)).toContain('completeness is not proven');
  await exporting(table, '--csv');
  const idsOf = (file = '') =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: { event_id: string } })
      .map(({ event }) => event.event_id);
  expect(idsOf(walked).toSorted()).toEqual([...events.keys()].toSorted());
  expect(idsOf(indexed).toSorted()).toEqual([...events.keys()].toSorted());

  const verifyExport = async (file = '') => await verify(`${file}.manifest.json`, '--key', publicKey);
  expect(await verifyExport(walked)).toMatchObject({ code: 0, err: '' });
  expect((await verifyExport(walked)).out).toContain('stated by the signer: complete');
  expect((await verifyExport(indexed)).out).toContain('completeness is not proven');
  expect(await verifyExport(table)).toMatchObject({ code: 0 });
  expect((await verify(`${walked ?? ''}.manifest.json`)).code).toBe(49);

  const lines = readFileSync(walked ?? '', 'utf8').split(/(?<=\n)/);
  const changes = {
    changed: lines.with(3, (lines[3] ?? '').replace('success', 'failure')),
    'left out': lines.toSpliced(4, 1),
    added: [...lines, lines[0] ?? ''],
    moved: [...lines.slice(1), lines[0] ?? ''],
    cut: lines.with(-1, (lines.at(-1) ?? '').trimEnd()),
  };
  for (const [what, changed] of Object.entries(changes)) {
    writeFileSync(walked ?? '', changed.join(''));
    const refused = await verifyExport(walked);
    expect([what, refused.code, refused.out]).toEqual([what, 48, '']);
    expect(refused.err).toContain('error VERIFY_FAILED');
  }

  const again = await typed(['export', '--type', type, '--out', indexed ?? ''], signing);
  expect([again.code, again.err.includes('FILE_UNWRITABLE')]).toEqual([2, true]);
  const nothing = await typed(['export', '--out', join(site.folder, 'none')], signing);
  expect([nothing.code, nothing.err.includes('say which events')]).toEqual([2, true]);
  const noTime = await typed(['export', '--since', 'yesterday', '--out', join(site.folder, 'none')], signing);
  expect([noTime.code, existsSync(join(site.folder, 'none'))]).toEqual([2, false]);
}, 240_000);
