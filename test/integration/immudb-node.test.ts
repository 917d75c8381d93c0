/** The vendor's client as an independent reader, and the defects for which it is not the writer (decision 1). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { load } from '../support/load.ts';
import { openSite, type Addresses, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';

let stack: Addresses;
let site: Site;
let eventId = '';
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 1 });
  const produced = await load(stack, { topic: site.topic, count: 20 });
  [eventId = ''] = produced.ids;
  const running = await site.run();
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  await running.exited;
}, 180_000);
afterAll(() => site.close());

const script = new URL('../support/immudb-node-process.cjs', import.meta.url).pathname;

const read = async (port: number) => {
  const args = [script, stack.immudb.host, String(port), site.database, `event/${eventId}`, 'event/'];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  child.stdin.end(await readFile(stack.immudb.passwordFile));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
};

type Answer = { value: string; scanned: string[] };
const answerOf = (out: string) => JSON.parse(out.split('\n').find((line) => line.startsWith('{')) ?? '{}') as Answer;

test('immudb-node gets and scans what the pipeline wrote', async () => {
  const answer = answerOf((await read(stack.immudb.port)).out);
  const { events } = await accountSite(stack, site);
  expect((JSON.parse(answer.value) as { event: { event_id: string } }).event.event_id).toBe(eventId);
  expect(answer.scanned).toHaveLength(10);
  for (const key of answer.scanned) expect(events.has(key.slice('event/'.length))).toBe(true);
}, 60_000);

test('defect: its verified reads fail on this server', async () => {
  const { out, err } = await read(stack.immudb.port);
  expect(out).toContain('scanned');
  expect(out).not.toContain('verified');
  expect(err).toContain('dual verification failed');
}, 60_000);

test('defect: it knows no preconditions', () => {
  const { SetRequest } = createRequire(import.meta.url)('immudb-node/dist/src/proto/schema_pb.js') as {
    SetRequest: { prototype: object };
  };
  const methods = Object.getOwnPropertyNames(SetRequest.prototype).join(' ').toLowerCase();
  expect(methods).toContain('nowait');
  expect(methods).not.toContain('precondition');
});

test('defect: it resolves undefined for a write that was never sent', async () => {
  const before = (await accountSite(stack, site)).transactions;
  const { out } = await read(stack.immudb.port);
  expect(out.trim().split('\n').at(-1)).toBe('resolved undefined');
  expect((await accountSite(stack, site)).transactions).toBe(before);
}, 60_000);

test('defect: it ends the process with code 0 when the server cannot be reached', async () => {
  const { code, out } = await read(1);
  expect([code, out.includes('scanned')]).toEqual([0, false]);
}, 60_000);
