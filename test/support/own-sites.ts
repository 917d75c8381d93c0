import { afterAll, beforeAll } from '@jest/globals';
import type { Stack } from '../../stack/stack.ts';
import { testKafka } from './load.ts';
import { openSite, type Site } from './pipeline-process.ts';
import { sharedStack } from './shared-stack.ts';

export type PlacedValue = { readonly partition: number; readonly value: string };

const perRequest = 1000;

/** For one file of tests: sites on the shared stack, opened as it needs them and closed when it ends. */
export const ownSites = () => {
  const sites: Site[] = [];
  let stack: Stack | undefined;
  beforeAll(async () => {
    stack = await sharedStack();
  }, 120_000);
  afterAll(async () => {
    for (const site of sites) await site.close();
  });
  const theStack = (): Stack => {
    if (stack === undefined) throw new Error('the stack is there only in tests');
    return stack;
  };
  return {
    stack: theStack,
    open: async (options?: Parameters<typeof openSite>[1]): Promise<Site> => {
      const site = await openSite(theStack(), options);
      sites.push(site);
      return site;
    },
    /** To these partitions of the site's topic, in this order; resolves when all replicas have them. */
    send: async (site: Site, values: Iterable<PlacedValue>): Promise<void> => {
      const producer = testKafka(theStack()).producer({ idempotent: true, maxInFlightRequests: 1 });
      await producer.connect();
      const messages: PlacedValue[] = [];
      const flush = () => producer.send({ topic: site.topic, acks: -1, messages: messages.splice(0) });
      for (const one of values) if (messages.push(one) === perRequest) await flush();
      if (messages.length > 0) await flush();
      await producer.disconnect();
    },
  };
};

/** One event after the other, to the partitions in turn. */
export const spread = (events: readonly unknown[], partitions: number): PlacedValue[] =>
  events.map((event, index) => ({ partition: index % partitions, value: JSON.stringify(event) }));

export const idOf = (event: Readonly<Record<string, unknown>>): string => String(event['event_id']);
