import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { kafkaAdmin } from '../../src/consumers/kafka/admin.ts';
import { connectProducer, gateway } from '../../src/producer.ts';
import { decodeWith } from '../../src/schemas/decode.ts';
import { payloadRule } from '../../src/schemas/payload-rule.ts';
import { registryClient } from '../../src/schemas/registry/client.ts';
import { registryDecoder } from '../../src/schemas/registry/decoder.ts';
import { readUntil } from '../support/kafka-read.ts';
import { testKafka } from '../support/load.ts';
import { sharedStack } from '../support/shared-stack.ts';
import type { Stack } from '../../stack/stack.ts';

let stack: Stack;
const topics: string[] = [];
beforeAll(async () => {
  stack = await sharedStack();
}, 120_000);

const newTopic = async (what: string): Promise<string> => {
  const topic = `examples.${what}.${process.pid}.${topics.length}`;
  const admin = kafkaAdmin(testKafka(stack));
  await admin.connect();
  await admin.createTopics({ topic, deadLetterTopic: `${topic}.dlq`, partitions: 1 });
  await admin.close();
  topics.push(topic, `${topic}.dlq`);
  return topic;
};
afterAll(async () => {
  const admin = testKafka(stack).admin();
  await admin.connect();
  await admin.deleteTopics({ topics });
  await admin.disconnect();
});

const examples = readdirSync('examples').filter((name) => name.endsWith('.ts'));

test('there is an example for each service', () => {
  expect(examples).toHaveLength(7);
});

test.each(examples)(
  'examples/%s publishes events that the pipeline takes',
  async (name) => {
    const topic = await newTopic(name);
    const [broker = ''] = stack.kafka.brokers;
    await promisify(execFile)(process.execPath, [`examples/${name}`, broker, topic], { timeout: 60_000 });
    const records = await readUntil(testKafka(stack), topic, name === 'gateway.ts' ? 2 : 1);
    for (const { value } of records) {
      expect(decodeWith(payloadRule('enforce'))(value)).toMatchObject({ accepted: true });
    }
  },
  90_000,
);

test.each(['avro', 'json'] as const)(
  'a producer with a registry frames its events (%s), and they are read back',
  async (format) => {
    const topic = await newTopic(format);
    const registry = { url: stack.registry?.url ?? '', timeoutMs: 5_000 };
    const audit = connectProducer({
      service: 'tests',
      brokers: stack.kafka.brokers,
      topic,
      compression: 'snappy',
      registry: { ...registry, format },
    });
    const data = {
      signal_type: 'alert',
      signal_name: 'A',
      namespace: 'n',
      fingerprint: 'f',
      original_payload: { a: [1] },
    };
    const said = { correlationId: 'c', resourceId: 'r' };
    const whole = gateway.signalReceived({ ...said, data });
    const more = gateway.signalReceived({ ...said, data: { ...data, ...{ unknown: 1 } } });
    await Promise.all([audit.publish(whole), audit.publish(more)]);
    expect(await audit.close()).toEqual({ unsent: [] });
    const decoder = registryDecoder({ registry: registryClient(registry), judge: payloadRule('enforce') });
    const values = (await readUntil(testKafka(stack), topic, 2)).map(({ value }) => value);
    await decoder.prepare(values);
    const decoded = values.map((value) => decoder.decode(value));
    const events = decoded.map((one) => (one.accepted ? (JSON.parse(one.json.toString()) as unknown) : one));
    expect(events).toEqual([whole, more].map((event) => JSON.parse(JSON.stringify(event)) as unknown));
    expect(decoded[0]).toMatchObject({ framed: { encoding: format === 'avro' ? 'avro' : 'json-schema' } });
  },
  60_000,
);
