import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readUntil } from '../support/kafka-read.ts';
import { openSite, type Addresses, type Site } from '../support/pipeline-process.ts';
import { testEvent, testKafka } from '../support/load.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { accountSite, untilCaughtUp } from '../support/site-account.ts';

let stack: Addresses;
let site: Site;
const large = 3 * 1024 * 1024;
beforeAll(async () => {
  stack = await sharedStack();
  // Every one of them is to be buried here; what the breaker is for has a test of its own.
  const env = { IMMUTRAIL_BREAKER_MAX_RUN: '1000000', IMMUTRAIL_BREAKER_MAX_SHARE_PERCENT: '100' };
  site = await openSite(stack, { partitions: 2, maxMessageBytes: large, env });
}, 120_000);
afterAll(() => site.close());

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const text = JSON.stringify(testEvent());
const without = (field: string) => json(testEvent({ [field]: undefined }));

/** One record for each way to be wrong, and the code that it must get. */
const poison: readonly [what: string, value: Buffer | null, code: string][] = [
  ['null', null, 'VALUE_NULL'],
  ['empty', Buffer.alloc(0), 'VALUE_EMPTY'],
  [
    'invalid UTF-8',
    Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.of(0xff), Buffer.from('"}')]),
    'UTF8_INVALID',
  ],
  ['byte order mark', Buffer.from(`\ufeff${text}`), 'BOM_PRESENT'],
  ['lone surrogate', Buffer.from(`${text.slice(0, -1)},"note":"\\ud800"}`), 'UNICODE_INVALID'],
  ['duplicate keys', Buffer.from(`${text.slice(0, -1)},"version":"1.0"}`), 'KEY_DUPLICATED'],
  ['invalid JSON', Buffer.from(text.slice(0, -5)), 'JSON_INVALID'],
  ['2 MB of nesting', Buffer.from('['.repeat(2_000_000)), 'RECORD_TOO_LARGE'],
  ['1 MB of nesting', Buffer.from('['.repeat(1_000_000)), 'DEPTH_EXCEEDED'],
  ['a missing field', without('event_type'), 'FIELD_MISSING'],
  ['a wrong type', json(testEvent({ event_data: 'text' })), 'FIELD_TYPE'],
  ['an absurd time', json(testEvent({ event_timestamp: '9999-01-01T00:00:00Z' })), 'TIME_INVALID'],
  ['a time before all', json(testEvent({ event_timestamp: '1969-12-31T23:59:59.999999Z' })), 'TIME_INVALID'],
  ['a time after all', json(testEvent({ event_timestamp: '2200-01-01T00:00:00Z' })), 'TIME_INVALID'],
  ['a 30th of February', json(testEvent({ event_timestamp: '2026-02-30T00:00:00Z' })), 'TIME_INVALID'],
  ['a time without a zone', json(testEvent({ event_timestamp: '2026-01-01T00:00:00' })), 'TIME_INVALID'],
  ['oversize event_data', json(testEvent({ event_data: { x: 'x'.repeat(300_000) } })), 'EVENT_DATA_TOO_LARGE'],
  ['a nil id', json(testEvent({ event_id: '00000000-0000-0000-0000-000000000000' })), 'EVENT_ID_INVALID'],
];

test('bad input is never lost: each with its code on the dead-letter topic and in the ledger, its neighbours stored', async () => {
  // The neighbours happened at the ends of all times, or when Kafka says that they cannot have.
  const times = ['1970-01-01T00:00:00Z', '2199-12-31T23:59:59.999999Z', '2026-01-01T00:00:00+14:00'];
  const events = poison.map((_, index) => testEvent({ event_timestamp: times[index % times.length] }));
  const kafka = testKafka(stack);
  const producer = kafka.producer();
  await producer.connect();
  for (const [index, [what, value]] of poison.entries()) {
    const headers = { what, '__immutrail.errors.code': 'FORGED' };
    await producer.send({
      topic: site.topic,
      messages: [
        { partition: 0, key: 'neighbour', timestamp: '0', value: JSON.stringify(events[index]) },
        { partition: 0, key: `key ${what}`, value, headers },
      ],
    });
  }
  // Ten thousand in one fetch.
  const flood = Array.from({ length: 10_000 }, (_, index) => ({ partition: 1, value: `poison ${index}` }));
  await producer.send({ topic: site.topic, messages: flood });
  await producer.disconnect();

  const running = await site.run();
  await running.ready();
  await untilCaughtUp(site);
  running.kill('SIGTERM');
  expect((await running.exited).code).toBe(0);

  const account = await accountSite(stack, site);
  expect([...account.events.keys()].sort()).toEqual(events.map((event) => String(event['event_id'])).sort());
  const expected = new Map<string, number>([['JSON_INVALID', 10_000]]);
  for (const [, , code] of poison) expected.set(code, (expected.get(code) ?? 0) + 1);
  expect(Object.fromEntries(account.deadByCode)).toEqual(Object.fromEntries(expected));
  await expectLetters();
}, 180_000);

/** The dead-letter topic has the original bytes, key and headers, and ours; what a producer forged is renamed. */
const expectLetters = async (): Promise<void> => {
  const found = new Map<string, { value: Buffer | null; code: string; offset: string; forged: string }>();
  for (const message of await readUntil(testKafka(stack), site.deadLetterTopic, poison.length + 10_000)) {
    const header = (name: string) => String(message.headers?.[name] ?? '');
    const what = header('what');
    if (what === '') continue;
    found.set(what, {
      value: message.value,
      code: header('__immutrail.errors.code'),
      offset: header('__immutrail.errors.offset'),
      forged: header('_~immutrail.errors.code'),
    });
    expect(message.key?.toString()).toBe(`key ${what}`);
  }
  for (const [index, [what, value, code]] of poison.entries()) {
    const letter = found.get(what);
    expect([what, letter?.code, letter?.offset, letter?.forged]).toEqual([what, code, String(index * 2 + 1), 'FORGED']);
    expect(letter?.value?.equals(value ?? Buffer.alloc(0)) ?? value === null).toBe(true);
  }
};
