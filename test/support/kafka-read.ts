import type { Kafka, KafkaMessage } from 'kafkajs';

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
          for (const message of batch.messages) messages.push({ ...message, partition: batch.partition });
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
