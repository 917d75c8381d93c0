import { createRequire } from 'node:module';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Kafka } from 'kafkajs';
import { kafkaPublisher } from '../../../../src/consumers/kafka/publisher.ts';

// kafkajs's own producer on a cluster of two brokers, in which the leader of partition 1 moves from broker 2 to broker 1
// while one send is under way. test/faults/rolling-restart.test.ts does that to real brokers.

const require = createRequire(import.meta.url);
const createProducer = require('kafkajs/src/producer') as (options: object) => ReturnType<Kafka['producer']>;

type TopicData = { topic: string; partitions: { partition: number; messages: unknown[] }[] }[];

const logger = { namespace: () => logger, debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore() {
  return undefined;
}

let leaders: Map<number, number>;
/** Messages that each partition took. */
let taken: Map<number, number>;
let isDown: boolean;
let isTooLarge: boolean;

const refused = () => Object.assign(new Error('not the leader'), { name: 'KafkaJSProtocolError', retriable: true });

const tooLarge = () =>
  Object.assign(new Error('too large'), { name: 'KafkaJSProtocolError', type: 'MESSAGE_TOO_LARGE', retriable: false });

const broker = (nodeId: number) => ({
  nodeId,
  initProducerId: () => Promise.resolve({ producerId: 1, producerEpoch: 0 }),
  produce: async ({ topicData }: { topicData: TopicData }) => {
    const partitions = topicData.flatMap((topic) => topic.partitions);
    if (isDown) throw refused();
    if (isTooLarge) throw tooLarge();
    // Broker 1 has answered before broker 2 refuses.
    if (nodeId === 2) {
      await Promise.resolve();
      await new Promise(setImmediate);
      leaders.set(1, 1);
      throw refused();
    }
    for (const { partition, messages } of partitions)
      taken.set(partition, (taken.get(partition) ?? 0) + messages.length);
    const answers = partitions.map(({ partition }) => ({ partition, errorCode: 0, baseOffset: '0' }));
    return { topics: topicData.map(({ topic }) => ({ topicName: topic, partitions: answers })) };
  },
});

const cluster = () => {
  const brokers = new Map([1, 2].map((id) => [id, broker(id)]));
  const done = () => Promise.resolve();
  return {
    retry: { retries: 5, initialRetryTime: 1, maxRetryTime: 2 },
    isConnected: () => true,
    ...{ connect: done, disconnect: done, refreshMetadata: done, refreshMetadataIfNecessary: done },
    ...{ addMultipleTargetTopics: done, removeBroker: ignore, targetTopics: new Set(['t']) },
    findControllerBroker: () => Promise.resolve(brokers.get(1)),
    findBroker: ({ nodeId }: { nodeId: string }) => Promise.resolve(brokers.get(Number(nodeId))),
    findTopicPartitionMetadata: () => [...leaders].map(([partitionId, leader]) => ({ partitionId, leader })),
    findLeaderForPartitions: (_: string, partitions: string[]) => {
      const byLeader: Record<number, number[]> = {};
      for (const one of partitions) (byLeader[leaders.get(Number(one)) ?? 0] ??= []).push(Number(one));
      return byLeader;
    },
  };
};

const kafka = () => ({
  producer: (options: object = {}) =>
    createProducer({ ...options, cluster: cluster(), logger, retry: { retries: 3, initialRetryTime: 1 } }),
});

/** Enough keys that both partitions get some. */
const messages = Array.from({ length: 20 }, (_, index) => ({
  key: `key ${index}`,
  value: Buffer.from('x'),
  headers: {},
}));

beforeEach(() => {
  leaders = new Map([
    [0, 1],
    [1, 2],
  ]);
  taken = new Map();
  isDown = false;
  isTooLarge = false;
});

const sum = () => [...taken.values()].reduce((total, count) => total + count, 0);

describe('a partition that moves to a broker which has answered already', () => {
  test('kafkajs alone acknowledges what it never sent', async () => {
    const producer = kafka().producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    await producer.send({ topic: 't', messages });
    expect(taken.has(1)).toBe(false);
    expect(sum()).toBeLessThan(messages.length);
  });

  test('the publisher sends it again', async () => {
    const publisher = kafkaPublisher({ kafka: kafka() });
    await publisher.send('t', messages);
    await publisher.close();
    expect(taken.get(1)).toBeGreaterThan(0);
    expect(sum()).toBe(messages.length);
  });
});

test('an error is a PipelineError, and the next send begins with a new producer', async () => {
  let made = 0;
  const counted = {
    producer: (options: object = {}) => {
      made += 1;
      return kafka().producer(options);
    },
  };
  const publisher = kafkaPublisher({ kafka: counted });
  isDown = true;
  await expect(publisher.send('t', messages)).rejects.toMatchObject({ name: 'PipelineError' });
  isDown = false;
  await publisher.send('t', messages);
  expect([made, sum()]).toEqual([2, messages.length]);
  await publisher.close();
});

test('a message larger than the topic takes is refused for its own sake, not waited for', async () => {
  const publisher = kafkaPublisher({ kafka: kafka() });
  isTooLarge = true;
  await expect(publisher.send('t', messages)).rejects.toMatchObject({ code: 'EVENT_REFUSED' });
  await publisher.close();
});
