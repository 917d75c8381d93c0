import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { load, testKafka } from '../support/load.ts';
import { openSite, type Addresses, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { untilCaughtUp } from '../support/site-account.ts';
import { expectChained, expectExact, notesOf } from '../support/site-checkpoints.ts';
import { until } from '../support/until.ts';

let stack: Addresses;
const sites: Site[] = [];
beforeAll(async () => {
  stack = await sharedStack();
}, 120_000);
afterAll(async () => {
  for (const site of sites) await site.close();
});

type Signed = { site: Site; publicKey: string; env: Record<string, string>; checkpointFolder: string };

/** A site with a signing key, made as an operator makes it. */
const openSigned = async (partitions: number): Promise<Signed> => {
  const site = await openSite(stack, { partitions });
  sites.push(site);
  const file = join(site.folder, 'signing.key');
  const made = await site.command(['--json', 'keys', 'make', file, '--name', 'audit.test/1']);
  expect(made).toMatchObject({ code: 0, err: '' });
  const checkpointFolder = join(site.folder, 'checkpoints');
  mkdirSync(checkpointFolder);
  const env = {
    IMMUTRAIL_CHECKPOINTS_SIGNING_KEY_FILES: file,
    IMMUTRAIL_CHECKPOINTS_FOLDER: checkpointFolder,
    IMMUTRAIL_CHECKPOINTS_EVERY_MS: '300',
  };
  const { publicKey } = JSON.parse(made.out) as { publicKey: string };
  expect(made.out).not.toContain(readFileSync(file, 'utf8').trim().split('+').at(-1));
  return { site, publicKey, env, checkpointFolder };
};

const metric = async ({ url }: Running, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
};

test('an instance under load states its ledger exactly, on the topic and in the folder, and proves it each second', async () => {
  const { site, publicKey, env, checkpointFolder } = await openSigned(4);
  const running = await site.run(env);
  await running.ready();
  const began = performance.now();
  const proofsBefore = await metric(running, 'immutrail_state_proofs_total');
  let proofsLateMs = 0;
  await load(stack, {
    topic: site.topic,
    count: 20_000,
    duplicateEvery: 50,
    poisonEvery: 200,
    paced: async () => {
      proofsLateMs = Math.max(proofsLateMs, 1000 * (await metric(running, 'immutrail_since_last_state_proof_seconds')));
    },
  });
  await untilCaughtUp(site);
  const seconds = (performance.now() - began) / 1000;
  const proofs = (await metric(running, 'immutrail_state_proofs_total')) - proofsBefore;
  expect(proofs).toBeGreaterThanOrEqual(Math.floor(seconds) - 1);
  expect(proofsLateMs).toBeLessThan(2500);
  expect(await metric(running, 'immutrail_checkpoint_owner')).toBe(1);
  expect(await metric(running, 'immutrail_event_to_checkpoint_seconds_count')).toBeGreaterThan(0);
  running.kill('SIGTERM');
  expect(await running.exited).toEqual({ code: 0, signal: null });

  const notes = await notesOf(stack, site);
  const checkpoints = expectChained(notes, publicKey);
  expect(checkpoints.length).toBeGreaterThan(5);
  expect(new Set(checkpoints.map(({ epoch }) => epoch))).toEqual(new Set([1n]));
  await expectExact(stack, site, checkpoints);
  const covered = checkpoints.at(-1)?.covers.reduce((sum, { next }) => sum + next, 0n);
  expect(covered).toBe(20_000n);
  const files = readdirSync(checkpointFolder).sort();
  expect(files.map((name) => readFileSync(join(checkpointFolder, name), 'utf8'))).toEqual(notes);
}, 180_000);

test('of several instances one publishes: when it is killed another goes on, and nothing is forked', async () => {
  const { site, publicKey, env } = await openSigned(4);
  const first = await site.run(env, 'first');
  await first.ready();
  const second = await site.run(env, 'second');
  await second.ready();
  const owners = async (running: readonly Running[]) => {
    const owns = await Promise.all(running.map((one) => metric(one, 'immutrail_checkpoint_owner')));
    return owns.reduce((sum, one) => sum + one, 0);
  };
  await until(async () => (await owners([first, second])) === 1, { timeoutMs: 30_000, what: 'one owner' });
  const loading = load(stack, { topic: site.topic, count: 12_000 });
  await until(async () => (await notesOf(stack, site)).length > 4, { timeoutMs: 30_000, what: 'checkpoints' });
  const [owner, other] = (await metric(first, 'immutrail_checkpoint_owner')) === 1 ? [first, second] : [second, first];
  owner.kill('SIGKILL');
  await until(async () => (await metric(other, 'immutrail_checkpoint_owner')) === 1, {
    timeoutMs: 60_000,
    what: 'the other one to take over',
  });
  await loading;
  await untilCaughtUp(site);
  other.kill('SIGTERM');
  expect(await other.exited).toEqual({ code: 0, signal: null });

  const checkpoints = expectChained(await notesOf(stack, site), publicKey);
  expect(new Set(checkpoints.map(({ epoch }) => epoch)).size).toBeGreaterThan(1);
  await expectExact(stack, site, checkpoints);
  expect(checkpoints.at(-1)?.covers.reduce((sum, { next }) => sum + next, 0n)).toBe(12_000n);
}, 180_000);

test('without its state file an instance goes on from the newest checkpoint, and refuses without any anchor', async () => {
  const { site, publicKey, env } = await openSigned(1);
  await load(stack, { topic: site.topic, count: 500 });
  const first = await site.run(env);
  await first.ready();
  await untilCaughtUp(site);
  first.kill('SIGTERM');
  await first.exited;
  rmSync(join(site.folder, 'trusted.json'));
  const unpinned = { IMMUTRAIL_LEDGER_GENESIS: '' };
  const refused = await site.run(unpinned, 'refused');
  expect((await refused.exited).code).toBe(2);
  expect(refused.output()).toContain('LEDGER_TRUST_MISSING');
  const second = await site.run({ ...unpinned, IMMUTRAIL_CHECKPOINTS_PUBLIC_KEYS: publicKey }, 'second');
  await second.ready();
  expect(second.output()).toMatch(/"by":"checkpoint"/);
  second.kill('SIGTERM');
  expect((await second.exited).code).toBe(0);
}, 120_000);

test('a topic of checkpoints that is gone holds no event up, is seen, and is used again when it is back', async () => {
  const { site, publicKey, env } = await openSigned(2);
  const running = await site.run(env);
  await running.ready();
  await until(async () => (await notesOf(stack, site)).length > 0, { timeoutMs: 30_000, what: 'a checkpoint' });
  const admin = testKafka(stack).admin();
  await admin.connect();
  const topic = `${site.topic}.checkpoints`;
  await admin.deleteTopics({ topics: [topic] });
  await load(stack, { topic: site.topic, count: 500 });
  await untilCaughtUp(site);
  const readyz = async () => (await (await fetch(`${running.url}/readyz`)).json()) as { warnings?: string[] };
  await until(async () => (await readyz()).warnings?.[0]?.startsWith('checkpoints: not published') === true, {
    timeoutMs: 60_000,
    what: 'the warning',
  });
  expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
  expect(await metric(running, 'immutrail_checkpoint_failures_total')).toBeGreaterThan(0);
  await until(
    () => admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] }).catch(() => false),
    { timeoutMs: 30_000, what: 'the topic to be made' },
  );
  await until(async () => (await readyz()).warnings === undefined, { timeoutMs: 60_000, what: 'the recovery' });
  await admin.disconnect();
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
  // The folder knows what the topic lost, so the chain goes on.
  const folder = join(site.folder, 'checkpoints');
  const files = readdirSync(folder).sort();
  const checkpoints = expectChained(
    files.map((name) => readFileSync(join(folder, name), 'utf8')),
    publicKey,
  );
  await expectExact(stack, site, checkpoints);
}, 180_000);
