import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { avroSchemaOf } from '../../src/schemas/catalogue/avro-schema.ts';
import { eventTypeOf } from '../../src/schemas/catalogue/services.ts';
import { registryClient } from '../../src/schemas/registry/client.ts';
import type { LedgerClient } from '../../src/sinks/immudb/client.ts';
import { decodeEventValue, type EventValue } from '../../src/sinks/immudb/format/event-value.ts';
import type { Stack } from '../../stack/stack.ts';
import { codecs, goClients, javaClient, kcat, type ForeignBatch } from '../support/foreign-clients.ts';
import { testEvent } from '../support/load.ts';
import { marksOf } from '../support/ledger-marks.ts';
import { openSite, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, siteClient, untilCaughtUp } from '../support/site-account.ts';
import { compactTopic, offsetsOf, withAdmin } from '../support/site-kafka.ts';
import { until } from '../support/until.ts';

// Records of other people's clients, and other people's reader of what became of them. Where a client is not
// installed its tests are skipped, aloud.

const producers = [kcat, javaClient, goClients];
const present = producers.filter(({ isMissing }) => !isMissing);
const anyOfThem = { isMissing: present.length === 0 };
const ifThere = ({ isMissing }: { isMissing: boolean }) => (isMissing ? describe.skip : describe);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let stack: Stack;
let site: Site;
let running: Running;
let ledger: LedgerClient;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 1, env: { IMMUTRAIL_REGISTRY_URL: stack.registry?.url ?? '' } });
  running = await site.run();
  await running.ready();
  ledger = await siteClient(stack, site);
}, 180_000);
afterAll(async () => {
  running.kill('SIGTERM');
  await running.exited;
  await ledger.close();
  await site.close();
});

type Records = ForeignBatch['records'];
const events = (count: number, keyOf?: (index: number) => string): Records =>
  Array.from({ length: count }, (_, index) => {
    const event = testEvent({ actor_id: `größe ☃ 𝄞 "${index}" \\` });
    return { key: keyOf?.(index) ?? String(event['event_id']), value: JSON.stringify(event) };
  });
const idOf = (value: string): string => (JSON.parse(value) as { event_id: string }).event_id;
const idsOf = (records: Records): string[] => records.map(({ value }) => idOf(value));

/** Of everything that must be stored, and the codec it was sent in. */
const sent = new Map<string, { readonly value: Buffer; readonly codec: string }>();
const remember = (records: Records, codec: string) => {
  for (const { value } of records) sent.set(idOf(value), { value: Buffer.from(value), codec });
};

const storedIn = async (client: LedgerClient, ids: readonly string[]): Promise<EventValue[]> => {
  const keys = ids.map((id) => `event/${id}`);
  const entries = await client.getAll(keys.map((key) => Buffer.from(key)));
  return entries.map(({ key, value }) => decodeEventValue(Buffer.from(key).toString(), value));
};

const whenStored = async (records: Records): Promise<EventValue[]> => {
  const ids = idsOf(records);
  let stored: EventValue[] = [];
  const isThere = async () => (stored = await storedIn(ledger, ids)).length === ids.length;
  await until(isThere, { timeoutMs: 60_000, what: `${ids.length} events to be stored` });
  return stored;
};

const expectAsSent = (stored: readonly EventValue[], records: Records) => {
  expect(stored.map(({ json }) => json.toString())).toEqual(records.map(({ value }) => value));
  expect(stored.map(({ source }) => source.key?.toString())).toEqual(records.map(({ key }) => key));
  expect(stored.map(({ source }) => source.sha256)).toEqual(records.map(({ value }) => sha256(Buffer.from(value))));
};

const headers = [
  ['a-name', 'größe'],
  ['nothing', null],
  ['twice', 'one'],
  ['twice', 'two'],
] as const;

for (const producer of producers) {
  ifThere(producer)(producer.name, () => {
    test.each(codecs)(
      'its records in %s are stored byte for byte, with key and headers',
      async (codec) => {
        const records = events(50);
        await producer.send(stack, { topic: site.topic, codec, headers, records });
        remember(records, codec);
        const stored = await whenStored(records);
        expectAsSent(stored, records);
        const asText = ({ source }: EventValue) =>
          source.headers.map(([name, value]) => [name, value === null ? null : Buffer.from(value).toString()]);
        for (const one of stored) expect(asText(one)).toEqual(headers);
      },
      60_000,
    );

    test('its aborted transaction is a gap, the committed one behind it is stored', async () => {
      const [aborted, committed] = [events(20), events(20)];
      const id = `${site.topic}-${producer.name}`;
      await producer.transact(stack, { topic: site.topic, codec: 'zstd', id, aborted, committed });
      remember(committed, 'zstd');
      expectAsSent(await whenStored(committed), committed);
      expect(await storedIn(ledger, idsOf(aborted))).toEqual([]);
    }, 60_000);
  });
}

ifThere(goClients)("Avro by hamba/avro, framed by franz-go's sr", () => {
  test('is stored as the same event, with the bytes that came', async () => {
    const known = eventTypeOf('gateway.signal.received')!;
    const registry = { url: stack.registry?.url ?? '', subject: `${site.topic}-foreign` };
    const client = registryClient({ url: registry.url, timeoutMs: 5_000 });
    const id = await client.register(registry.subject, 'AVRO', JSON.stringify(avroSchemaOf(known)));
    const event = testEvent({
      duration_ms: 17,
      event_data: {
        ...{ signal_type: 'alert', signal_name: 'Größe ☃', namespace: '', fingerprint: '1' },
        ...{ signal_labels: { team: 'cart', ['größe']: '☃' }, occurrence_count: 3 },
      },
    });
    const records = [{ key: String(event['event_id']), value: JSON.stringify(event) }];
    const [bytes] = await goClients.sendAvro(stack, { topic: site.topic, codec: 'lz4', records }, registry);
    const [stored] = await whenStored(records);
    expect(JSON.parse(stored!.json.toString())).toEqual(event);
    expect(stored!.source).toMatchObject({ encoding: 'avro', schemaId: id, sha256: sha256(bytes!) });
    expect(stored!.source.original?.equals(bytes!)).toBe(true);
    sent.set(String(event['event_id']), { value: stored!.json, codec: 'lz4' });
  }, 60_000);
});

ifThere(anyOfThem)('all of them', () => {
  test('each is stored once, nothing is dead, and every other offset is a gap', async () => {
    await untilCaughtUp(site);
    const account = await accountSite(stack, site);
    expect([...account.events.keys()].sort()).toEqual([...sent.keys()].sort());
    expect(account.deadByCode.size).toBe(0);
    const ends = await withAdmin(stack, (admin) => admin.fetchTopicOffsets(site.topic));
    const next = BigInt(ends[0]?.high ?? -1);
    const stored = BigInt(sent.size);
    expect(account.partitions).toMatchObject([{ first: 0n, next, stored, duplicates: 0n, gaps: next - stored }]);
    const gaps = (await marksOf(stack, site)).flatMap(({ mark }) => mark.gaps);
    const width = (...of: string[]) =>
      gaps.filter(({ reason }) => of.includes(reason)).reduce((sum, { from, to }) => sum + Number(to - from), 0);
    expect(width('aborted')).toBeGreaterThanOrEqual(20 * present.length);
    expect(width('aborted', 'control')).toBe(Number(next - stored));
  }, 60_000);
});

ifThere(goClients)("franz-go's look at the topic", () => {
  test('shows that each codec came from each client', async () => {
    const seen = await goClients.look(stack, site.topic);
    const stored = seen.filter(({ key }) => sent.has(key));
    const codecOf = ({ key }: { key: string }) => sent.get(key)?.codec;
    expect(stored.map(({ key, codec }) => [key, codec])).toEqual(stored.map((one) => [one.key, codecOf(one)]));
    expect(stored).toHaveLength(sent.size);
    expect(seen.filter(({ control }) => control)).toHaveLength(2 * present.length);
  }, 30_000);
});

ifThere(goClients)("immudb's own Go SDK", () => {
  const read = (ids: readonly string[], state: string) =>
    goClients.read(
      stack,
      site.database,
      ids.map((id) => `event/${id}`),
      state,
    );
  const expectEvents = (values: readonly Buffer[], ids: readonly string[]) => {
    const decoded = values.map((value, index) => decodeEventValue(`event/${ids[index]!}`, value));
    expect(decoded.map(({ json }) => json.toString())).toEqual(ids.map((id) => sent.get(id)?.value.toString()));
  };

  test('proves every event, also against the state that it trusted before more was written', async () => {
    const state = join(site.folder, 'sdk');
    await mkdir(state);
    const before = [...sent.keys()];
    expectEvents(await read(before, state), before);
    const more = events(20);
    await (present.at(-1) ?? goClients).send(stack, { topic: site.topic, codec: 'none', records: more });
    remember(more, 'none');
    await whenStored(more);
    const after = [...idsOf(more), ...before.slice(0, 20)];
    expectEvents(await read(after, state), after);

    // That it proves at all: with one bit of the hash that it trusts changed, it refuses.
    const name = (await readdir(state)).find((one) => one.startsWith('.state-')) ?? '';
    const [database = '', trusted = ''] = (await readFile(join(state, name), 'utf8')).split(':');
    const bytes = Buffer.from(trusted, 'base64');
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await writeFile(join(state, name), `${database}:${bytes.toString('base64')}`);
    await expect(read(after, state)).rejects.toThrow('corrupted');
  }, 60_000);
});

ifThere(anyOfThem)('a compacted topic', () => {
  let compacted: Site;
  beforeAll(async () => {
    compacted = await openSite(stack, { partitions: 1 });
    await compactTopic(stack, compacted);
  }, 60_000);
  afterAll(() => compacted.close());

  test('fed by all of them: what Kafka removed is a gap, what it left is stored byte for byte', async () => {
    const { topic } = compacted;
    const left = new Map<string, string>();
    const send = async (records: Records, work: (records: Records) => Promise<void>) => {
      await work(records);
      for (const { key, value } of records) left.set(key, value); // the newest of a key is what Kafka leaves
    };
    for (const [index, producer] of present.entries()) {
      const codec = codecs[index + 2] ?? 'zstd';
      const keyOf = (at: number) => (at % 2 === 0 ? `${producer.name} ${at % 4}` : `${producer.name} alone ${at}`);
      await send(events(20, keyOf), (records) => producer.send(stack, { topic, codec, records }));
      const transactions = { topic, codec, id: `${topic}-${producer.name}`, aborted: events(20) };
      await send(
        events(20, (at) => `${producer.name} ${at % 4}`),
        (committed) => producer.transact(stack, { ...transactions, committed }),
      );
    }
    await send(events(1), (records) => present[0]!.send(stack, { topic, codec: 'none', records })); // rolls the segment
    const isCompacted = async () => (await offsetsOf(stack, compacted, 0)).length === left.size;
    await until(isCompacted, { timeoutMs: 60_000, everyMs: 500, what: 'the topic to be compacted' });

    const reader = await compacted.run();
    await reader.ready();
    await untilCaughtUp(compacted);
    reader.kill('SIGTERM');
    await reader.exited;
    const account = await accountSite(stack, compacted);
    expect([...account.events.keys()].sort()).toEqual([...left.values()].map(idOf).sort());
    const [partition] = account.partitions;
    expect(partition).toMatchObject({ first: 0n, duplicates: 0n, dead: 0n, stored: BigInt(left.size) });
    expect(partition!.gaps).toBe(partition!.next - BigInt(left.size));
    const client = await siteClient(stack, compacted);
    const survivors = [...left].map(([key, value]) => ({ key, value }));
    expectAsSent(await storedIn(client, idsOf(survivors)), survivors);
    await client.close();
  }, 180_000);
});
