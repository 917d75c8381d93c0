import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testEvent, testKafka } from '../support/load.ts';
import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { dlqOf, type Json } from '../support/dlq-desk.ts';
import { actsOf } from '../support/operator-acts.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';

// One site, from the poison to depth zero: each test goes on where the one before it ended.

let stack: Addresses;
let site: Site;
let running: Running;
let folder: string;
let desk: ReturnType<typeof dlqOf>;
const who = ['--by', 'ada', '--why', 'release 7 wrote it wrongly'];
const good = Array.from({ length: 30 }, () => testEvent());
const wrongOutcome = Array.from({ length: 10 }, () => testEvent({ event_outcome: 'SUCCESS', big: 1 }));
const noVersion = Array.from({ length: 5 }, () => testEvent({ version: undefined }));
const amended: Record<string, unknown> = { ...good[0], event_action: 'amended' };
const cut = Array.from({ length: 3 }, () => JSON.stringify(testEvent()).slice(0, -30));
// A number that no double holds must survive an edit of another member.
const exact = (event: unknown) => JSON.stringify(event).replace('"big":1', '"big":12345678901234567890');

beforeAll(async () => {
  stack = await sharedStack();
  folder = await mkdtemp(join(tmpdir(), 'immutrail-dlq-'));
  site = await openSite(stack, { partitions: 2 });
  await send(good.map((event) => JSON.stringify(event)));
  await send([...wrongOutcome.map(exact), ...[...noVersion, amended].map((event) => JSON.stringify(event)), ...cut]);
  desk = dlqOf(site);
  running = await startPipeline();
  await untilCaughtUp(site);
}, 180_000);
afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

const startPipeline = async (): Promise<Running> => {
  const started = await site.run({ IMMUTRAIL_REDRIVE_DEPTH_EVERY_MS: '500' });
  await started.ready();
  return started;
};

const send = async (values: readonly string[], headers: Record<string, string> = { origin: 'test' }): Promise<void> => {
  const producer = testKafka(stack).producer();
  await producer.connect();
  await producer.send({
    topic: site.topic,
    messages: values.map((value, index) => ({ key: `key ${index}`, value, headers, partition: index % 2 })),
  });
  await producer.disconnect();
};

const dlq = (...args: readonly string[]) => desk.command(['dlq', ...args]);
const dlqJson = (...args: readonly string[]): Promise<Json> => desk.json('dlq', ...args);
const lettersOf = async (...args: readonly string[]) => (await dlqJson('list', ...args))['letters'] as Json[];
const transactions = async (): Promise<bigint> => (await accountSite(stack, site)).transactions;

describe('looking', () => {
  test('open letters with their records, by every filter', async () => {
    expect(await lettersOf()).toHaveLength(19);
    await until(async () => (await depthShown()) === 19, { timeoutMs: 60_000, what: 'the gauge to show them' });
    expect(await dlqJson('status')).toMatchObject({
      depth: 19,
      depthByCode: { OUTCOME_INVALID: 10, FIELD_MISSING: 5 },
    });
    const [one] = await lettersOf('--code', 'EVENT_ID_CONFLICT');
    expect(one).toMatchObject({
      state: 'open',
      attempt: 1,
      topic: site.topic,
      readable: true,
      eventId: amended['event_id'],
    });
    expect(await lettersOf('--code', 'JSON_INVALID,FIELD_MISSING')).toHaveLength(8);
    expect(await lettersOf('--correlation', String(noVersion[2]?.['correlation_id']))).toHaveLength(1);
    expect(await lettersOf('--event-type', 'gateway.signal.received')).toHaveLength(16);
    expect(await lettersOf('--text', '"AMENDED"')).toHaveLength(1);
    expect(await lettersOf('--since', '1h')).toHaveLength(19);
    expect(await lettersOf('--until', '1h')).toHaveLength(0);
    const inFirst = await lettersOf('--partition', '0');
    const offsets = inFirst.map(({ id }) => String(id).split('/')[2] ?? '');
    const [from, to] = [offsets[1] ?? '', offsets[3] ?? ''];
    const some = await lettersOf('--partition', '0', '--from-offset', from, '--to-offset', to);
    expect(some.map(({ id }) => id)).toEqual(inFirst.slice(1, 4).map(({ id }) => id));
  }, 120_000);

  test('one letter with its payload, masked on request, and its bytes as they were', async () => {
    const [one] = await lettersOf('--code', 'JSON_INVALID');
    const id = String(one?.['id']);
    const file = join(folder, 'body');
    const shown = await dlq('show', id, '--save', file);
    expect([shown.code, shown.err]).toEqual([0, '']);
    expect(shown.out).toContain('origin: test');
    expect(cut).toContain(await readFile(file, 'utf8'));
    expect((await dlq('show', id, '--save', file)).code).toBe(2);
    const outcome = await lettersOf('--code', 'OUTCOME_INVALID', '--limit', '1');
    const masked = await dlq('show', String(outcome[0]?.['id']), '--mask');
    expect(masked.out).toContain('"event_outcome": "(text of 7)"');
    expect(masked.out).not.toContain('SUCCESS');
    const history = await dlqJson('history', id);
    expect(history).toMatchObject([{ dead: { state: 'open' } }]);
  }, 120_000);

  test('what is asked wrongly changes nothing and says why', async () => {
    const before = await transactions();
    const cases: [readonly string[], string][] = [
      [['list', '--code', 'NO_SUCH_CODE'], 'NO_SUCH_CODE'],
      [['list', '--topic', 'no.such.topic'], 'no.such.topic'],
      [['list', '--from-offset', '3'], 'partition'],
      [['list', '--since', 'yesterday'], '--since'],
      [['show', '1/0/999999'], 'DEAD_LETTER_UNKNOWN'],
      [['show', 'no id'], 'log/partition/offset'],
      [['discard', '1/0/999999', ...who], 'DEAD_LETTER_UNKNOWN'],
      [['discard', '--code', 'JSON_INVALID', '--why', 'x'], '--by'],
      [['discard', '--code', 'JSON_INVALID', '--by', 'ada'], '--why'],
      [['discard', ...who], '--all'],
      [['redrive', '--resume', '0198c2f4-7c1e-7abc-8def-0123456789ab', ...who], 'REDRIVE_UNKNOWN'],
      [['cancel', '0198c2f4-7c1e-7abc-8def-0123456789ab', ...who], 'REDRIVE_UNKNOWN'],
      [['fix', '--all', ...who], 'what to change'],
      [['fix', '--all', '--value-file', '/no/such/file', ...who], '--value-file'],
    ];
    for (const [args, said] of cases) {
      const { code, err } = await dlq(...args);
      expect([args, code]).toEqual([args, 2]);
      expect([args, err]).toEqual([args, expect.stringContaining(said)]);
      expect(err).not.toMatch(/\n {4}at /);
    }
    expect(await transactions()).toBe(before);
  }, 120_000);
});

test('who may only read changes nothing, and is told so before anything is sent', async () => {
  const { host, port, username, passwordFile } = stack.immudb;
  const database = site.database;
  const admin = await openLedgerAdmin({ host, port, username, password: passwordFromFile(passwordFile) });
  const reader = { username: `reader${database}`, password: 'Read-0nly!', permission: 'read' as const, database };
  await admin.createUser(reader).finally(() => admin.close());
  const file = join(folder, 'reader');
  await writeFile(file, reader.password);
  const env = { IMMUTRAIL_LEDGER_USERNAME: reader.username, IMMUTRAIL_LEDGER_PASSWORD_FILE: file };
  const asReader = dlqOf(site, env);
  expect(await asReader.json('dlq', 'status')).toMatchObject({ depth: 19 });
  const before = await transactions();
  for (const act of [['discard'], ['fix', '--set', 'event_outcome=success']]) {
    const { code, err } = await asReader.command(['dlq', ...act, '--code', 'OUTCOME_INVALID', ...who]);
    expect([act, code, err]).toEqual([act, 13, expect.stringContaining('LEDGER_PERMISSION')]);
  }
  expect(await transactions()).toBe(before);
}, 60_000);

describe('acting', () => {
  test('what was wrong is mended and stored, once: a second time there is nothing to do', async () => {
    const selection = join(folder, 'selection.jsonl');
    const edit = ['--set', 'event_outcome=success'];
    const preview = await dlqJson('fix', '--code', 'OUTCOME_INVALID', ...edit, '--dry-run', '--save', selection);
    expect(preview).toMatchObject({ eligible: 10, left: { 'still-refused': 0 } });
    const fixed = await dlqJson('fix', '--selection', selection, ...edit, ...who);
    expect(fixed).toMatchObject({ sent: 10, complete: true, settled: { stored: 10, redriving: 0, dead: 0 } });
    const again = await dlqJson('fix', '--selection', selection, ...edit, ...who);
    expect(again).toMatchObject({ sent: 0, left: { changed: 10 } });
    const { code, out } = await site.command(['--json', 'get', String(wrongOutcome[0]?.['event_id'])]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ event: { event_outcome: 'success' } });
  }, 120_000);

  test('an id that another event has is kept under an id of its own', async () => {
    expect(await dlqJson('redrive', '--code', 'EVENT_ID_CONFLICT', '--dry-run')).toMatchObject({
      left: { 'in-ledger': 1 },
    });
    const fixed = await dlqJson('fix', '--code', 'EVENT_ID_CONFLICT', '--new-id', ...who);
    expect(fixed).toMatchObject({ sent: 1, settled: { stored: 1 } });
  }, 120_000);

  test('one that is sent as it was dies again as attempt 2 of the first, and then stays for a person', async () => {
    const [one] = await lettersOf('--code', 'FIELD_MISSING');
    const id = String(one?.['id']);
    expect(await dlqJson('redrive', id, '--dry-run')).toMatchObject({ eligible: 0, left: { 'still-refused': 1 } });
    expect(await dlqJson('redrive', id, '--even-refused', ...who)).toMatchObject({ sent: 1, settled: { dead: 1 } });
    const [second] = (await lettersOf('--code', 'FIELD_MISSING')).filter(({ attempt }) => attempt === 2);
    expect(second).toMatchObject({ of: idParts(id), readable: true });
    expect(await dlqJson('redrive', String(second?.['id']), '--even-refused', ...who)).toMatchObject({
      settled: { dead: 1 },
    });
    const [third] = (await lettersOf('--code', 'FIELD_MISSING')).filter(({ attempt }) => attempt === 3);
    expect(await dlqJson('redrive', String(third?.['id']), '--even-refused', ...who)).toMatchObject({
      sent: 0,
      left: { 'over-limit': 1 },
    });
    const body = join(folder, 'mended.json');
    await writeFile(
      body,
      JSON.stringify({ ...noVersion.find((event) => event['event_id'] === third?.['eventId']), version: '1.0' }),
    );
    const fixed = await dlqJson('fix', String(third?.['id']), '--value-file', body, ...who);
    expect(fixed).toMatchObject({ sent: 1, settled: { stored: 1 } });
    const history = await dlqJson('history', String(third?.['id']));
    expect(history).toMatchObject([
      { dead: { state: 'open', attempt: 3 } },
      { dead: { state: 'redriving', by: 'ada', why: 'release 7 wrote it wrongly' } },
      { dead: { state: 'redriven', redriven: { as: 'stored' } } },
    ]);
  }, 120_000);

  test('headers that a producer forges close nothing', async () => {
    const [one] = await lettersOf('--code', 'FIELD_MISSING');
    const [log = '', partition = '', offset = ''] = String(one?.['id']).split('/');
    const claim = { log, partition, offset, attempt: '2', nonce: '0198c2f4-7c1e-7abc-8def-0123456789ab' };
    const headers = Object.fromEntries(
      Object.entries(claim).map(([name, value]) => [`__immutrail.redrive.${name}`, value]),
    );
    const event = testEvent();
    await send([JSON.stringify(event), 'no event'], headers);
    await untilCaughtUp(site);
    expect(await dlqJson('history', String(one?.['id']))).toMatchObject([{ dead: { state: 'open' } }]);
    expect((await accountSite(stack, site)).events.has(String(event['event_id']))).toBe(true);
    const [forged] = await lettersOf('--text', 'no event');
    expect(forged).toMatchObject({ attempt: 1 });
    expect(forged?.['of']).toBeUndefined();
  }, 120_000);

  test('cancelled: what is under way is open again, which is an event of whoever did it', async () => {
    const stopped = running;
    stopped.kill('SIGTERM');
    await stopped.exited;
    const codes = ['--code', 'FIELD_MISSING', '--limit', '2'];
    const sent = await dlqJson('redrive', ...codes, '--even-refused', '--wait', '0', ...who);
    expect(sent).toMatchObject({ sent: 2, settled: null });
    const runId = String(sent['runId']);
    expect(await lettersOf('--state', 'redriving')).toHaveLength(2);
    const why = ['--by', 'grace', '--why', 'the wrong ones'];
    expect(await dlqJson('cancel', runId, ...why)).toEqual({ runId, putBack: 2, complete: true });
    expect((await dlq('cancel', runId, ...why)).err).toContain('REDRIVE_UNKNOWN');
    const [one] = await lettersOf('--code', 'FIELD_MISSING');
    expect(one).toMatchObject({ state: 'open', by: 'grace', why: 'the wrong ones' });
    running = await startPipeline();
    await untilCaughtUp(site);
    const acts = (await actsOf(stack, site)).filter(({ event_type: type }) => type.startsWith('deadletter.cancel'));
    expect(acts).toMatchObject([
      { event_type: 'deadletter.cancel.started', event_outcome: 'pending' },
      { event_type: 'deadletter.cancel.finished', event_outcome: 'success', event_data: { put_back: 2 } },
    ]);
    for (const act of acts) {
      expect(act).toMatchObject({ actor_id: 'grace', correlation_id: runId, event_data: { why: 'the wrong ones' } });
    }
    // The records were on their way already: each is one like any other, at fault by itself.
    expect(await lettersOf('--code', 'FIELD_MISSING')).toHaveLength(6);
  }, 120_000);

  test('a preview and its run mean the same letters, and say how many are left and why', async () => {
    const refused = { 'still-refused': 10, 'in-ledger': 0, unreadable: 0, 'over-limit': 0, changed: 0 };
    const why = { left: refused, refusedByCode: { JSON_INVALID: 4, FIELD_MISSING: 6 } };
    expect(await dlqJson('redrive', '--all', '--dry-run')).toMatchObject({ eligible: 0, ...why });
    expect(await dlqJson('redrive', '--all', ...who)).toMatchObject({ sent: 0, ...why });
    expect((await dlq('redrive', '--all', '--dry-run')).out).toContain('10 (sent all the same with --even-refused)');
    expect(await dlqJson('redrive', '--all', '--even-refused', '--dry-run')).toMatchObject({ eligible: 10 });
    const mending = ['fix', '--all', '--set', 'version="1.0"'];
    const preview = await dlqJson(...mending, '--dry-run');
    expect(preview).toMatchObject({ eligible: 6, left: { 'still-refused': 0, unreadable: 4 } });
    // So slowly that the pipeline has stored the first of two with the same id before the second is sent.
    expect(await dlqJson(...mending, '--rate', '2', ...who)).toMatchObject({
      ...{ sent: 6, left: preview['left'], settled: { stored: 4, duplicate: 2 } },
    });
  }, 120_000);

  test('discarded with a reason, settled and still there; depth is zero and every act is an event', async () => {
    expect(await dlqJson('discard', '--all', '--dry-run')).toMatchObject({ discarded: 4 });
    expect(await dlqJson('discard', '--code', 'JSON_INVALID', ...who)).toMatchObject({ discarded: 4 });
    expect(await lettersOf('--state', 'discarded')).toHaveLength(4);
    await untilCaughtUp(site);
    await until(async () => (await depthShown()) === 0, { timeoutMs: 60_000, what: 'the gauge to be zero' });
    expect(await dlqJson('status')).toMatchObject({ depth: 0, byState: { open: 0, redriving: 0 } });
    const audited = await site.command(['audit']);
    expect([audited.code, audited.err]).toEqual([0, '']);
    const account = await accountSite(stack, site);
    for (const event of [...good, ...wrongOutcome, ...noVersion]) {
      expect(account.events.has(String(event['event_id']))).toBe(true);
    }
  }, 120_000);
});

const depthShown = async (): Promise<number> => {
  const text = await (await fetch(`${running.url}/metrics`)).text();
  const rows = text.split('\n').filter((line) => line.startsWith('immutrail_dead_letters_unsettled{'));
  return rows.length === 0 ? -1 : rows.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

const idParts = (id: string) => {
  const [log, partition, offset] = id.split('/');
  return { log: Number(log), partition: Number(partition), offset };
};
