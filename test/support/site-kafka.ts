import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import { messagesOf } from './kafka-read.ts';
import { testKafka } from './load.ts';
import type { Addresses, Site } from './pipeline-process.ts';

/** Does some work through an admin client that is closed after it; again, when a broker says to ask another one. */
export const withAdmin = async <T>(stack: Pick<Addresses, 'kafka'>, work: (admin: Admin) => Promise<T>): Promise<T> => {
  for (let tries = 10; ; tries -= 1) {
    const admin = testKafka(stack).admin();
    await admin.connect();
    try {
      return await work(admin);
    } catch (error) {
      if (tries === 0 || (error as { retriable?: boolean }).retriable !== true) throw error;
      await sleep(500);
    } finally {
      await admin.disconnect();
    }
  }
};

/** What the site's group has committed, by partition: the next offset, as text. */
export const committedBy = (stack: Addresses, site: Site): Promise<Readonly<Record<number, string>>> =>
  withAdmin(stack, async (admin) => {
    const [topic] = await admin.fetchOffsets({ groupId: site.group, topics: [site.topic] });
    return Object.fromEntries((topic?.partitions ?? []).map(({ partition, offset }) => [partition, offset]));
  });

/** Letters that lie on the site's dead-letter topic, orphans included. */
export const lettersOnTopic = (stack: Addresses, site: Site): Promise<number> =>
  withAdmin(stack, async (admin) => {
    const ends = await admin.fetchTopicOffsets(site.deadLetterTopic);
    return ends.reduce((sum, { high, low }) => sum + Number(BigInt(high) - BigInt(low)), 0);
  });

/** The offsets of one partition at which a record can be read, up to its present end. Compaction leaves the last one. */
export const offsetsOf = async (stack: Addresses, site: Site, partition: number): Promise<readonly bigint[]> => {
  const ends = await withAdmin(stack, (admin) => admin.fetchTopicOffsets(site.topic));
  const last = BigInt(ends.find((one) => one.partition === partition)?.high ?? 0) - 1n;
  const offsets: bigint[] = [];
  const reached = Promise.withResolvers<undefined>();
  const consumer = testKafka(stack).consumer({ groupId: `look-${randomUUID()}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [site.topic], fromBeginning: true });
  try {
    await consumer.run({
      autoCommit: false,
      eachBatch: ({ batch }) => {
        if (batch.partition !== partition) return Promise.resolve();
        for (const { offset } of messagesOf(batch)) offsets.push(BigInt(offset));
        if (last < 0n || (offsets.at(-1) ?? -1n) >= last) reached.resolve(undefined);
        return Promise.resolve();
      },
    });
    if (last >= 0n) await reached.promise;
    return offsets;
  } finally {
    await consumer.disconnect();
  }
};

const compacting = {
  'cleanup.policy': 'compact',
  'segment.ms': '50',
  'min.cleanable.dirty.ratio': '0.001',
  'min.compaction.lag.ms': '0',
};

/** From now on Kafka compacts the topic, as soon as a batch lies 50 ms behind the first of its segment. */
export const compactTopic = (stack: Addresses, site: Site): Promise<void> =>
  withAdmin(stack, async (admin) => {
    const configEntries = Object.entries(compacting).map(([name, value]) => ({ name, value }));
    const topic = { type: kafkajs.ConfigResourceTypes.TOPIC, name: site.topic, configEntries };
    await admin.alterConfigs({ validateOnly: false, resources: [topic] });
  });
