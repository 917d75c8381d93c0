import type { Batch, Kafka, KafkaMessage } from 'kafkajs';
import { readFrom, type FetchedBatch } from '../../src/consumers/kafka/delivery.ts';
import type { Header } from '../../src/schemas/record.ts';

/** A message, and where it lay. */
export type ReadMessage = KafkaMessage & { readonly partition: number };

let groups = 0;

/**
 * Reads a topic from its start until so many messages came. Rejects with the error of a crash from which the consumer
 * does not start again; a coordinator that still loads its groups is not one.
 */
export const readUntil = async (kafka: Kafka, topic: string, count: number): Promise<ReadMessage[]> => {
  groups += 1;
  const consumer = kafka.consumer({
    groupId: `read-${topic}-${process.pid}-${groups}`,
    maxWaitTimeInMs: 100,
    retry: { retries: 2, initialRetryTime: 50 },
  });
  const messages: ReadMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  try {
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        if (!payload.restart) reject(payload.error);
      });
      void consumer.run({
        autoCommit: false,
        eachBatch: ({ batch }) => {
          for (const message of messagesOf(batch)) messages.push({ ...message, partition: batch.partition });
          if (messages.length >= count) resolve();
          return Promise.resolve();
        },
      });
    });
  } finally {
    await consumer.disconnect();
  }
  return messages;
};

/** A batch's messages as kafkajs shows them, though our decoder of fetch responses hands it one stand-in for all. */
export const messagesOf = (batch: Batch): readonly KafkaMessage[] => {
  const { fetchedOffset, rawMessages } = batch as unknown as FetchedBatch;
  const [standIn] = rawMessages;
  if (standIn !== undefined && !('fetched' in standIn)) return batch.messages;
  const { records } = readFrom(BigInt(fetchedOffset), standIn?.fetched ?? null);
  return records.map(({ offset, timestamp, key, value, headers }) => ({
    ...{ offset: String(offset), timestamp: String(timestamp), attributes: 0 },
    ...{ key, value, headers: headersOf(headers) },
  }));
};

const headersOf = (headers: readonly Header[]): NonNullable<KafkaMessage['headers']> => {
  const byName = Map.groupBy(headers, ([name]) => name);
  const values = [...byName].map(([name, rows]) => [name, rows.map(([, value]) => value)] as const);
  return Object.fromEntries(
    values.map(([name, [first, ...more]]) => [name, more.length === 0 ? first : [first, ...more]]),
  ) as NonNullable<KafkaMessage['headers']>;
};
