import type { Kafka, KafkaMessage } from 'kafkajs';

let groups = 0;

/** Reads a topic from its start until so many messages came; rejects with the error of the consumer's crash. */
export const readUntil = async (kafka: Kafka, topic: string, count: number): Promise<KafkaMessage[]> => {
  groups += 1;
  const consumer = kafka.consumer({
    groupId: `read-${topic}-${process.pid}-${groups}`,
    maxWaitTimeInMs: 100,
    retry: { retries: 2, restartOnFailure: () => Promise.resolve(false) },
  });
  const messages: KafkaMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  try {
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) =>
        reject(Object.assign(payload.error, { restart: payload.restart })),
      );
      void consumer.run({
        autoCommit: false,
        eachBatch: ({ batch }) => {
          for (const message of batch.messages) messages.push(message);
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
