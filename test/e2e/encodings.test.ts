import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Type, type Schema } from 'avsc';
import { avroSchemaOf } from '../../src/schemas/catalogue/avro-schema.ts';
import { jsonSchemaOf } from '../../src/schemas/catalogue/json-schema.ts';
import { eventTypeOf } from '../../src/schemas/catalogue/services.ts';
import { registryClient, type RegistryClient } from '../../src/schemas/registry/client.ts';
import { startStack } from '../../stack/start.ts';
import type { Stack } from '../../stack/stack.ts';
import { testEvent, testKafka } from '../support/load.ts';
import { openSite, type Site } from '../support/pipeline-process.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { until } from '../support/until.ts';

let stack: Stack;
let site: Site;
let registry: RegistryClient;
beforeAll(async () => {
  stack = await startStack({ registry: true, kafka: { properties: { 'group.min.session.timeout.ms': '1000' } } });
  const url = stack.registry?.url ?? '';
  registry = registryClient({ url, timeoutMs: 5_000 });
  site = await openSite(stack, { partitions: 1, env: { IMMUTRAIL_REGISTRY_URL: url } });
}, 600_000);
afterAll(async () => {
  await site.close();
  await stack.stop();
});

const known = eventTypeOf('gateway.signal.received')!;
const avroSchema = avroSchemaOf(known);
const type = Type.forSchema(avroSchema as Schema);

const framed = (id: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
};
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const idOf = (event: Record<string, unknown>) => String(event['event_id']);
/** The load's event without what the catalogue does not have: Avro has no room for it. */
const event = () => {
  const made = testEvent();
  const data = Object.entries(made['event_data'] as object).filter(([name]) => name !== 'note');
  return { ...made, event_data: Object.fromEntries(data) as Record<string, unknown> };
};

const send = async (...values: Buffer[]) => {
  const producer = testKafka(stack).producer();
  await producer.connect();
  await producer.send({ topic: site.topic, messages: values.map((value) => ({ key: 'k', value })) });
  await producer.disconnect();
};

type Got = {
  readonly source: { encoding: string; schemaId?: number; sha256: string; original_b64?: string };
  readonly event: Record<string, unknown>;
};
const get = async (id: string): Promise<Got> => {
  const { out, err } = await site.command(['get', '--json', id]);
  if (out === '') throw new Error(err);
  return JSON.parse(out) as Got;
};

test('three encodings in one partition are stored as the same events, with what came over Kafka beside them', async () => {
  const { code, out } = await site.command(['schemas', 'publish']);
  expect([code, out]).toEqual([0, expect.stringContaining('all compatible') as unknown]);
  const avroId = await registry.register(`${site.topic}-gateway.signal.received`, 'AVRO', JSON.stringify(avroSchema));
  const jsonId = await registry.register('json-value', 'JSON', JSON.stringify(jsonSchemaOf(known)));
  const [plain, inJson, inAvro] = [event(), event(), event()];
  const values = [json(plain), framed(jsonId, json(inJson)), framed(avroId, type.toBuffer(inAvro))] as const;
  const running = await site.run();
  await running.ready();
  await send(...values);
  await send(framed(2_000_000_000, json(event())), framed(avroId, type.toBuffer(event()).subarray(0, 50)), values[2]);
  await untilCaughtUp(site);

  const [a, b, c] = [await get(idOf(plain)), await get(idOf(inJson)), await get(idOf(inAvro))];
  expect([a.event, b.event, c.event]).toEqual([plain, inJson, inAvro]);
  expect([a, b, c].map(({ source }) => [source.encoding, source.schemaId])).toEqual([
    ['json', undefined],
    ['json-schema', jsonId],
    ['avro', avroId],
  ]);
  [a, b, c].forEach(({ source }, index) => {
    expect(source.sha256).toBe(createHash('sha256').update(values[index]!).digest('hex'));
    if (index > 0) expect(Buffer.from(source.original_b64 ?? '', 'base64').equals(values[index]!)).toBe(true);
  });
  expect(a.source).not.toHaveProperty('original_b64');
  const account = await accountSite(stack, site);
  expect(Object.fromEntries(account.deadByCode)).toEqual({ SCHEMA_UNKNOWN: 1, AVRO_INVALID: 1 });
  expect(account.partitions.map(({ duplicates }) => duplicates)).toEqual([1n]);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
}, 180_000);

test('a registry that is down holds the records that need it, and dead-letters none', async () => {
  const running = await site.run();
  await running.ready();
  await stack.registry?.server.kill();
  const before = event();
  const held = event();
  await send(json(before), framed(1, type.toBuffer(held)));
  await until(() => running.output().includes('REGISTRY_UNAVAILABLE'), {
    timeoutMs: 30_000,
    what: 'the registry to be missed',
  });
  await until(async () => (await fetch(`${running.url}/readyz`)).status === 503, {
    timeoutMs: 30_000,
    what: 'readiness to say so',
  });
  // The development registry has forgotten all: the first schema that it is given gets the id 1 again. Meanwhile the
  // pipeline sleeps, for it would hear that there is no such schema.
  running.kill('SIGSTOP');
  await stack.registry?.server.start();
  expect(await registry.register('again', 'AVRO', JSON.stringify(avroSchema))).toBe(1);
  running.kill('SIGCONT');
  await running.ready();
  await untilCaughtUp(site);
  expect((await get(idOf(held))).event).toEqual(held);
  expect((await get(idOf(before))).event).toEqual(before);
  const account = await accountSite(stack, site);
  expect(Object.fromEntries(account.deadByCode)).toEqual({ SCHEMA_UNKNOWN: 1, AVRO_INVALID: 1 });

  // A stop while it is down again leaves at once, and leaves the records where they are.
  await stack.registry?.server.kill();
  const later = event();
  await send(framed(99, type.toBuffer(later)));
  await until(() => running.output().split('REGISTRY_UNAVAILABLE').length > 3, {
    timeoutMs: 30_000,
    what: 'another miss',
  });
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);
  expect((await accountSite(stack, site)).events.has(idOf(later))).toBe(false);
}, 180_000);
