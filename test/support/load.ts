import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { kafkaClient } from '../../src/consumers/kafka/connection.ts';
import { kafkaPublisher, type PublishedMessage } from '../../src/consumers/kafka/publisher.ts';

import type { Addresses } from './pipeline-process.ts';

/** What was produced, to be found again in the ledger. */
export type Produced = { readonly ids: Set<string>; duplicates: number; poison: number; records: number };

export const testKafka = (stack: Pick<Addresses, 'kafka'>): Kafka =>
  kafkaClient({
    brokers: stack.kafka.brokers,
    clientId: 'test',
    tls: { enabled: false, caFile: null, certFile: null, keyFile: null },
    sasl: { mechanism: 'none', username: null, passwordFile: null, tokenFile: null },
    requestTimeoutMs: 30_000,
  });

export const testEvent = (overrides: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  event_id: randomUUID(),
  version: '1.0',
  event_type: 'gateway.signal.received',
  event_timestamp: new Date().toISOString(),
  event_category: 'gateway',
  event_action: 'received',
  event_outcome: 'success',
  correlation_id: `rr-${randomUUID().slice(0, 8)}`,
  actor_type: 'service',
  actor_id: 'test',
  event_data: { signal_type: 'alert', signal_name: 'Load', namespace: '', fingerprint: '1', note: 'x'.repeat(200) },
  ...overrides,
});

export type LoadOptions = {
  readonly topic: string;
  readonly count: number;
  /** Every n-th record repeats the one before it, or cannot be stored. */
  readonly duplicateEvery?: number;
  readonly poisonEvery?: number;
  readonly batchSize?: number;
  /** What the events have instead of what a test event has. */
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal;
  /** Told after each batch; may slow the load down. */
  readonly paced?: (produced: Produced) => Promise<void>;
};

/** Produces records until `count` or the signal; every one is acknowledged when this resolves. */
export const load = async (
  stack: Addresses,
  options: LoadOptions,
  produced: Produced = nothing(),
): Promise<Produced> => {
  const publisher = kafkaPublisher({ kafka: testKafka(stack) });
  try {
    let made = 0;
    let before: PublishedMessage | null = null;
    while (made < options.count && options.signal?.aborted !== true) {
      const messages: PublishedMessage[] = [];
      const batch: (() => void)[] = [];
      for (let i = 0; i < Math.min(options.batchSize ?? 200, options.count - made); i += 1) {
        const number = made + i + 1;
        if (before !== null && options.duplicateEvery !== undefined && number % options.duplicateEvery === 0) {
          messages.push(before);
          batch.push(() => (produced.duplicates += 1));
        } else if (options.poisonEvery !== undefined && number % options.poisonEvery === 0) {
          messages.push(message('poison', `{"not an event": ${number}`));
          batch.push(() => (produced.poison += 1));
        } else {
          const event = testEvent(options.overrides);
          before = message(String(event['correlation_id']), JSON.stringify(event));
          messages.push(before);
          batch.push(() => produced.ids.add(String(event['event_id'])));
        }
      }
      await publisher.send(options.topic, messages);
      for (const count of batch) count();
      made += messages.length;
      produced.records += messages.length;
      await options.paced?.(produced);
    }
    return produced;
  } finally {
    await publisher.close();
  }
};

const message = (key: string, text: string): PublishedMessage => ({ key, value: Buffer.from(text), headers: {} });

export const nothing = (): Produced => ({ ids: new Set(), duplicates: 0, poison: 0, records: 0 });
