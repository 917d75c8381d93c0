import type { Admin } from 'kafkajs';
import { testKafka } from './load.ts';
import type { Addresses, Site } from './pipeline-process.ts';

/** Does some work through an admin client that is closed after it. */
export const withAdmin = async <T>(stack: Pick<Addresses, 'kafka'>, work: (admin: Admin) => Promise<T>): Promise<T> => {
  const admin = testKafka(stack).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
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
