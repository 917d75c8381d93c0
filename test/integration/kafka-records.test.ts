import { randomBytes } from 'node:crypto';
import { glob, readFile, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import kafkajs, { type Kafka } from 'kafkajs';
import { kafkaAdmin, type KafkaAdmin } from '../../src/consumers/kafka/admin.ts';
import { kafkaAppender, type Appender } from '../../src/consumers/kafka/appender.ts';
import { clusterOf, type Cluster } from '../../src/consumers/kafka/cluster.ts';
import { kafkaClient } from '../../src/consumers/kafka/connection.ts';
import { kafkaError } from '../../src/consumers/kafka/errors.ts';
import { deadLetterTopic } from '../../src/sinks/dead-letter-topic.ts';
import type { KafkaRecord } from '../../src/schemas/record.ts';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';
import { readUntil } from '../support/kafka-read.ts';

const { CompressionTypes } = kafkajs;
let stack: Stack;
let kafka: Kafka;
let admin: KafkaAdmin;

beforeAll(async () => {
  stack = await startNativeStack({ immudb: false });
  kafka = kafkaClient({
    brokers: stack.kafka.brokers,
    clientId: 'test',
    tls: { enabled: false, caFile: null, certFile: null, keyFile: null },
    sasl: { mechanism: 'none', username: null, passwordFile: null, tokenFile: null },
    requestTimeoutMs: 10_000,
    retry: { retries: 3, initialRetryTime: 50 },
  });
  admin = kafkaAdmin(kafka);
  await admin.connect();
}, 300_000);

afterAll(async () => {
  await admin.close();
  await stack.stop();
}, 60_000);

const newTopic = async (topic: string, partitions = 1, maxMessageBytes?: number): Promise<string> => {
  await admin.createTopics({
    topic,
    deadLetterTopic: `${topic}.dlq`,
    partitions,
    ...(maxMessageBytes && { maxMessageBytes }),
  });
  return topic;
};

const produce = async (
  topic: string,
  values: readonly string[],
  compression = CompressionTypes.None,
): Promise<void> => {
  const producer = kafka.producer({ createPartitioner: () => () => 0, retry: { retries: 0 } });
  await producer.connect();
  await producer.send({ topic, compression, messages: values.map((value) => ({ value, partition: 0 })) });
  await producer.disconnect();
};

describe('what is read', () => {
  test.each(['GZIP', 'Snappy', 'LZ4', 'ZSTD'] as const)('%s: what was sent', async (codec) => {
    const topic = await newTopic(`codec-${codec}`);
    const values = Array.from({ length: 300 }, (_, i) => `${i} `.repeat(500));
    await produce(topic, values, CompressionTypes[codec]);
    const messages = await readUntil(kafka, topic, values.length);
    expect(messages.map(({ value }) => String(value))).toEqual(values);
  });

  test('140,000 records of one batch', async () => {
    const topic = await newTopic('many', 1, 4_000_000);
    await produceOneBatch(topic, 140_000);
    const messages = await readUntil(kafka, topic, 140_000);
    expect(messages).toHaveLength(140_000);
    expect(messages.at(-1)?.offset).toBe('139999');
  });

  test('a batch that inflates without end ends the consumer for good, and says where it lies', async () => {
    const topic = await newTopic('bomb');
    await produce(topic, ['good']);
    // A broker looks into compressed batches and refuses garbage, but counts their compressed bytes only.
    await produce(topic, ['0'.repeat(80_000_000)], CompressionTypes.ZSTD);
    expect((await admin.bounds(topic, [0])).partitions.get(0)).toEqual({ start: 0n, end: 2n });
    await crashesAt(topic, 'bomb-0: the record batch at offset 1 (codec zstd)');
  });

  test('a batch that is damaged on the disk of the broker is not read as something else', async () => {
    const topic = await newTopic('damaged');
    await produce(topic, ['good'], CompressionTypes.None);
    await produce(topic, ['a record that will be damaged']);
    await damageOnDisk('a record that will be damaged');
    await crashesAt(topic, 'damaged-0: the record batch at offset 1 (codec none)');
  });
});

const crashesAt = async (topic: string, where: string): Promise<void> => {
  const error: unknown = await readUntil(kafka, topic, 2).catch((met: unknown) => met);
  expect(kafkaError(error, 'reading')).toMatchObject({
    code: 'RECORD_BATCH_UNDECODABLE',
    disposition: 'halt',
    message: expect.stringContaining(where) as unknown,
  });
};

/** Flips a bit in the newest segment file under the system's temporary folder that holds the text. */
const damageOnDisk = async (text: string): Promise<void> => {
  const files: string[] = [];
  for await (const file of glob(join(tmpdir(), 'immutrail-stack-*/kafka-1/data/damaged-0/*.log'))) files.push(file);
  for (const file of files) {
    const bytes = await readFile(file);
    const at = bytes.indexOf(text);
    if (at < 0) continue;
    bytes[at]! ^= 1;
    await writeFile(file, bytes);
    return;
  }
  throw new Error('the text is in no segment');
};

/** Under kafkajs's producer, which copies its list for each record and would take minutes. */
const produceOneBatch = async (topic: string, count: number): Promise<void> => {
  const cluster = clusterOf(kafka) as unknown as ProducingCluster;
  await cluster.connect();
  await cluster.addTargetTopic(topic);
  const [{ leader }] = cluster.findTopicPartitionMetadata(topic) as unknown as [{ leader: number }];
  const broker = await cluster.findBroker({ nodeId: leader });
  const messages = Array.from({ length: count }, () => ({ value: 'x' }));
  await broker.produce({
    acks: -1,
    timeout: 30_000,
    topicData: [{ topic, partitions: [{ partition: 0, messages, firstSequence: 0 }] }],
  });
  await cluster.disconnect();
};

type ProducingCluster = Omit<Cluster, 'findBroker'> & {
  findBroker(of: { nodeId: number }): Promise<{ produce(request: object): Promise<unknown> }>;
};

describe('dead letters', () => {
  const record = (
    partition: number,
    offset: number,
    value: string,
    headers: KafkaRecord['headers'] = [],
  ): KafkaRecord => ({
    partition,
    offset: BigInt(offset),
    timestamp: 1_700_000_000_000n,
    timestampType: 'create',
    key: Buffer.from([0, 255, 128]),
    value: Buffer.from(value),
    headers,
  });
  const letter = (...of: Parameters<typeof record>) => ({
    record: record(...of),
    code: 'JSON_INVALID',
    message: 'not JSON',
  });
  const lettersOf = (appender: Appender, partitions = 2) =>
    deadLetterTopic({
      append: (...given) => appender.append(...given),
      sourceTopic: 'events',
      partitions,
      maxRequestBytes: 5_000,
    });

  test('each place is where the letter lies, over several partitions and requests', async () => {
    const topic = `${await newTopic('letters', 2)}.dlq`;
    const appender = kafkaAppender({ kafka, topic, tooLarge: 'DEAD_LETTER_TOO_LARGE' });
    const dead = lettersOf(appender);
    const sent = Array.from({ length: 40 }, (_, i) => letter(i % 3, i, `${i}:`.padEnd(600, 'x')));
    const places = [...(await dead.send(sent.slice(0, 7))), ...(await dead.send(sent.slice(7)))];
    await appender.close();
    const read = await readUntil(kafka, topic, 40);
    expect(read).toHaveLength(40);
    for (const message of read) {
      const index = Number(String(message.value).split(':')[0]);
      expect(message.partition).toBe((index % 3) % 2);
      expect(places[index]).toEqual({ partition: message.partition, offset: BigInt(message.offset) });
    }
  });

  test('a letter is the record as it was, with our headers; none of its own passes for ours', async () => {
    const topic = `${await newTopic('whole')}.dlq`;
    const appender = kafkaAppender({ kafka, topic, tooLarge: 'DEAD_LETTER_TOO_LARGE' });
    const headers: KafkaRecord['headers'] = [
      ['__immutrail.errors.code', Buffer.from('MINE')],
      ['__proto__', Buffer.from('p')],
      ['a', null],
      ['a', Buffer.from('2')],
    ];
    await lettersOf(appender, 1).send([letter(3, 77, 'not json', headers)]);
    await appender.close();
    const [message] = await readUntil(kafka, topic, 1);
    expect(message?.key).toEqual(Buffer.from([0, 255, 128]));
    expect(
      Object.entries(message?.headers ?? {}).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map(String) : String(value),
      ]),
    ).toEqual([
      ['__immutrail.errors.attempts', '1'],
      ['__immutrail.errors.code', 'JSON_INVALID'],
      ['__immutrail.errors.message', 'not JSON'],
      ['__immutrail.errors.offset', '77'],
      ['__immutrail.errors.partition', '3'],
      ['__immutrail.errors.stage', 'pipeline'],
      ['__immutrail.errors.timestamp', '1700000000000'],
      ['__immutrail.errors.topic', 'events'],
      ['__proto__', 'p'],
      ['_~immutrail.errors.code', 'MINE'],
      ['a', ['null', '2']],
    ]);
  });

  test('a letter that the topic does not take halts with advice; its neighbours are not held to its size', async () => {
    const topic = `${await newTopic('small', 1, 10_000)}.dlq`;
    const appender = kafkaAppender({ kafka, topic, tooLarge: 'DEAD_LETTER_TOO_LARGE' });
    const dead = deadLetterTopic({
      append: (...given) => appender.append(...given),
      sourceTopic: 'small',
      partitions: 1,
      maxRequestBytes: 10_000_000,
    });
    const half = 'x'.repeat(100_000);
    expect((await dead.send([letter(0, 0, half), letter(0, 1, half)])).map(({ offset }) => offset)).toEqual([0n, 1n]);
    await expect(dead.send([letter(0, 2, randomBytes(200_000).toString('hex'))])).rejects.toMatchObject({
      code: 'DEAD_LETTER_TOO_LARGE',
      disposition: 'halt',
    });
    await appender.close();
  });

  test('a letter that its producer had compressed below the limit is compressed, too', async () => {
    const topic = `${await newTopic('inflated', 1, 10_000)}.dlq`;
    const appender = kafkaAppender({ kafka, topic, tooLarge: 'DEAD_LETTER_TOO_LARGE' });
    const value = 'x'.repeat(5_000_000);
    expect(await appender.append(0, [toNew('small')])).toBe(0n);
    expect(await appender.append(0, [toNew(value)])).toBe(1n);
    expect(await appender.append(0, [toNew('small')])).toBe(2n);
    await appender.close();
    const read = await readUntil(kafka, topic, 3);
    expect(read.map((message) => message.value?.length)).toEqual([5, 5_000_000, 5]);
  });

  test('a lost acknowledgement: the offset is that of the first copy, and no later letter is taken for a repetition', async () => {
    const topic = `${await newTopic('lossy')}.dlq`;
    let lose = 0;
    const lossy = lossyClient(stack.kafka.brokers, () => lose-- > 0);
    const retrying = kafkaAppender({ kafka: lossy, topic, tooLarge: 'DEAD_LETTER_TOO_LARGE' });
    expect(await retrying.append(0, [toNew('a')])).toBe(0n);
    lose = 1;
    expect(await retrying.append(0, [toNew('b')])).toBe(1n);
    expect(await retrying.append(0, [toNew('c')])).toBe(2n);
    await retrying.close();
    const once = { retries: 1, initialRetryTime: 50, maxRetryTime: 50 };
    const giving = kafkaAppender({ kafka: lossy, topic, tooLarge: 'DEAD_LETTER_TOO_LARGE', retry: once });
    lose = 2;
    await expect(giving.append(0, [toNew('d')])).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' });
    lose = 0;
    expect(await giving.append(0, [toNew('e')])).toBe(4n);
    await giving.close();
    const read = await readUntil(kafka, topic, 5);
    expect(read.map(({ value }) => String(value))).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('kafkajs alone acknowledges a letter that it never wrote', async () => {
    const topic = `${await newTopic('vanishing')}.dlq`;
    let lose = 0;
    const producer = lossyClient(stack.kafka.brokers, () => lose-- > 0).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: () => () => 0,
      retry: { retries: 1, initialRetryTime: 50 },
    });
    await producer.connect();
    const send = (value: string) => producer.send({ topic, messages: [{ value }] });
    lose = 2;
    await expect(send('first')).rejects.toThrow();
    lose = 0;
    expect(await send('second')).toMatchObject([{ baseOffset: '0', errorCode: 0 }]);
    await producer.disconnect();
    expect((await readUntil(kafka, topic, 1)).map(({ value }) => String(value))).toEqual(['first']);
  });
});

const toNew = (value: string) => ({ key: null, value: Buffer.from(value), headers: [] });

/** A client whose connection breaks when the answer to a produce request arrives, as often as `isLost` says. */
const lossyClient = (brokers: readonly string[], isLost: () => boolean): Kafka =>
  new kafkajs.Kafka({
    brokers: [...brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 1, initialRetryTime: 50 },
    socketFactory: ({ host, port, onConnect }) => {
      // connect() puts back the prototype's write: connect first, listen in afterwards.
      const socket = new Socket().connect({ host, port }, onConnect);
      const produceKey = 0;
      let isProducing = false;
      const write = socket.write.bind(socket) as (bytes: Buffer, ...rest: unknown[]) => boolean;
      Object.assign(socket, {
        write: (bytes: Buffer, ...rest: unknown[]) => {
          isProducing = Buffer.isBuffer(bytes) && bytes.readInt16BE(4) === produceKey;
          return write(bytes, ...rest);
        },
      });
      const emit = socket.emit.bind(socket) as (event: string, ...rest: unknown[]) => boolean;
      Object.assign(socket, {
        emit: (event: string, ...rest: unknown[]) => {
          if (event !== 'data' || !isProducing || !isLost()) return emit(event, ...rest);
          socket.destroy();
          return emit('end');
        },
      });
      return socket;
    },
  });

describe('administration', () => {
  test('topics as init makes them have no problem but the one replica of a single broker', async () => {
    const topic = await newTopic('sound');
    expect(await admin.createTopics({ topic, deadLetterTopic: `${topic}.dlq` })).toEqual([]);
    const problems = await admin.inspectTopics({ topic, deadLetterTopic: `${topic}.dlq` });
    expect(problems.map(({ severity, problem }) => [severity, problem])).toEqual([
      ['warn', 'it has one replica: a lost disk loses it'],
      ['warn', 'it has one replica: a lost disk loses it'],
    ]);
  });

  test('settings that lose records are named', async () => {
    await admin.createTopics({ topic: 'tight', deadLetterTopic: 'tight.dlq', partitions: 1, maxMessageBytes: 500_000 });
    await admin.createTopics({ topic: 'wide', deadLetterTopic: 'wide.dlq', partitions: 1, maxMessageBytes: 2_000_000 });
    expect(await admin.inspectTopics({ topic: 'wide', deadLetterTopic: 'tight.dlq' })).toContainEqual(
      expect.objectContaining({ severity: 'error', topic: 'tight.dlq' }),
    );
    expect(await admin.inspectTopics({ topic: 'wide', deadLetterTopic: 'nowhere' })).toContainEqual(
      expect.objectContaining({ severity: 'error', topic: 'nowhere' }),
    );
  });

  test('bounds, lag, age and deleted records', async () => {
    const topic = await newTopic('lagging', 2);
    const before = BigInt(Date.now());
    await produce(topic, ['a', 'b', 'c']);
    const consumer = kafka.consumer({ groupId: 'lag' });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await new Promise<void>((committed) => {
      consumer.on(consumer.events.COMMIT_OFFSETS, () => committed());
      void consumer.run({
        autoCommit: false,
        eachBatch: async (batch) => {
          const partitions = [{ partition: 0, offset: '1', metadata: 'tx=7' }];
          await batch.commitOffsetsIfNecessary({ topics: [{ topic, partitions }] });
        },
      });
    });
    await consumer.disconnect();
    const rows = await admin.readLag({ group: 'lag', topic, withAge: true });
    expect(rows).toEqual([
      {
        topic,
        partition: 0,
        start: 0n,
        end: 3n,
        highWatermark: 3n,
        committed: 1n,
        metadata: 'tx=7',
        oldestWaitingMs: expect.any(BigInt) as unknown,
      },
      expect.objectContaining({ partition: 1, start: 0n, end: 0n, committed: null, oldestWaitingMs: null }),
    ]);
    expect(rows[0]!.oldestWaitingMs).toBeGreaterThanOrEqual(before);
    await admin.deleteRecords(topic, [{ partition: 0, next: 2n }]);
    const bounds = await admin.bounds(topic, [0, 1]);
    expect(bounds).toEqual({
      clusterId: await admin.clusterId(),
      isCompacted: false,
      partitions: new Map([
        [0, { start: 2n, end: 3n }],
        [1, { start: 0n, end: 0n }],
      ]),
    });
  });

  test('an open transaction keeps the stable end below the high watermark; an aborted one leaves no message', async () => {
    const topic = await newTopic('transactions');
    const producer = kafka.producer({
      transactionalId: 'open',
      maxInFlightRequests: 1,
      idempotent: true,
      createPartitioner: () => () => 0,
    });
    await producer.connect();
    await produce(topic, ['before']);
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: 'aborted', key: Buffer.alloc(4) }, { value: 'aborted too' }] });
    const [open] = await admin.readLag({ group: 'none', topic });
    expect(open).toMatchObject({ end: 1n, highWatermark: 3n });
    await transaction.abort();
    await produce(topic, ['after']);
    await producer.disconnect();
    const messages = await readUntil(kafka, topic, 2);
    expect(messages.map(({ value }) => String(value))).toEqual(['before', 'after']);
  });

  test('what does not exist is a missing topic', async () => {
    await expect(admin.bounds('nowhere', [0])).rejects.toMatchObject({ code: 'KAFKA_TOPIC_MISSING' });
    const appender = kafkaAppender({
      kafka,
      topic: 'nowhere',
      tooLarge: 'KAFKA_REFUSED',
      retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 50 },
    });
    await expect(appender.append(0, [toNew('x')])).rejects.toMatchObject({ code: 'KAFKA_TOPIC_MISSING' });
    await appender.close();
  });
});
