import { afterAll, beforeAll, expect, test } from '@jest/globals';
import kafkajs, { type IHeaders, type Message } from 'kafkajs';
import { testEvent, testKafka } from '../support/load.ts';
import { openSite, type Addresses, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';
import { readUntil } from '../support/kafka-read.ts';

// Records of exactly the size that the source topic takes, and records that only fit into it because their producer
// compressed them: each must also fit on the dead-letter topic, with our headers.

const limit = 1_048_588; // what `init` gives the source topic unless told otherwise
let stack: Addresses;
let site: Site;
beforeAll(async () => {
  stack = await sharedStack();
  site = await openSite(stack, { partitions: 1 });
}, 120_000);
afterAll(() => site.close());

const varint = (value: number): number => Math.max(1, Math.ceil((Math.floor(Math.log2(value * 2)) + 1) / 7));

/** Bytes of a record batch (https://kafka.apache.org/documentation/#recordbatch) that holds this one record. */
const batchBytes = ({ key, value, headers = {} }: Message): number => {
  const field = (bytes: number): number => (bytes === 0 ? 1 : varint(bytes)) + bytes;
  const count = Object.keys(headers).length;
  const body =
    3 +
    field(Buffer.byteLength(String(key))) +
    field(value?.length ?? 0) +
    (count === 0 ? 1 : varint(count)) +
    Object.entries(headers).reduce((sum, [name, one]) => sum + field(name.length) + field(String(one).length), 0);
  return 61 + varint(body) + body;
};

/** The message that `make` makes of a padding, with as much of it as makes its batch exactly `limit` bytes. */
const ofLimit = (make: (padding: string) => Message, size = limit): Message => {
  const short = make('');
  const message = make('x'.repeat(size - batchBytes(short) - 16));
  const full = make('x'.repeat(size - batchBytes(short) - 16 + size - batchBytes(message)));
  expect(batchBytes(full)).toBe(size);
  return full;
};

const event = testEvent();
const valid = (padding: string): Message => ({
  key: 'valid',
  value: Buffer.from(JSON.stringify({ ...event, padding })),
});
const poison = (padding: string): Message => ({ key: 'poison', value: Buffer.from(`{${padding}`) });
/** Headers in our own name, which are renamed on a dead letter, as many as fit. */
const forged: IHeaders = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`__immutrail.${i}`, 'forged']));
const decorated = (padding: string): Message => ({
  key: 'headers',
  value: Buffer.from('{'),
  headers: { ...forged, padding },
});

test('records of exactly the size that the topic takes: stored if valid, else a dead letter, whatever it inflates to', async () => {
  const producer = testKafka(stack).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const send = (message: Message, compression = kafkajs.CompressionTypes.None) =>
    producer.send({ topic: site.topic, compression, messages: [message] });
  for (const make of [valid, poison, decorated]) {
    await send(ofLimit(make));
    await expect(send(ofLimit(make, limit + 1))).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
  }
  const inflating = Buffer.alloc(20 * 1024 * 1024, '[');
  await send({ key: 'inflating', value: inflating }, kafkajs.CompressionTypes.GZIP);
  const after = testEvent();
  await send({ key: 'after', value: Buffer.from(JSON.stringify(after)) });
  await producer.disconnect();

  const running = await site.run();
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);

  const account = await accountSite(stack, site);
  expect([...account.events.keys()]).toEqual([event['event_id'], after['event_id']]);
  expect(Object.fromEntries(account.deadByCode)).toEqual({ JSON_INVALID: 2, RECORD_TOO_LARGE: 1 });
  const letters = await readUntil(testKafka(stack), site.deadLetterTopic, 3);
  expect(letters.map(({ key, value }) => [String(key), value?.length])).toEqual([
    ['poison', ofLimit(poison).value?.length],
    ['headers', 1],
    ['inflating', inflating.length],
  ]);
  const headers = Object.keys(letters[1]?.headers ?? {});
  expect(headers.filter((name) => name.startsWith('_~immutrail.'))).toHaveLength(20_000);
}, 120_000);
