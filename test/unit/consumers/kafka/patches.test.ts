import { createRequire } from 'node:module';
import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { StandIn } from '../../../../src/consumers/kafka/fetch-response.ts';

/**
 * Each test first shows the defect in kafkajs as it is: on the day when it is mended there, the first half fails and
 * the patch can go.
 */
const require = createRequire(import.meta.url);
const internal = (path: string): unknown => require(`kafkajs/src/${path}`);

const applyPatches = async (): Promise<{ nullHeader: Buffer }> => {
  const { applyKafkaPatches, nullHeader } = await import('../../../../src/consumers/kafka/patches.ts');
  applyKafkaPatches();
  return { nullHeader };
};

beforeEach(() => {
  jest.resetModules();
});

type Queue = {
  push(request: unknown): void;
  fulfillRequest(response: unknown): void;
  maybeThrottle(ms: number): void;
  destroy(): void;
  throttleCheckTimeoutId: unknown;
};

const newQueue = (maxInFlightRequests: number): Queue => {
  const RequestQueue = internal('network/requestQueue') as new (options: object) => Queue;
  const silent = () => undefined;
  return new RequestQueue({
    maxInFlightRequests,
    requestTimeout: 1000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'none:0',
    logger: { debug: silent, warn: silent },
  });
};

const request = (correlationId: number, sendRequest: () => void = () => undefined) => ({
  entry: {
    correlationId,
    apiKey: 0,
    apiName: 'Test',
    apiVersion: 0,
    resolve: () => undefined,
    reject: () => undefined,
  },
  expectResponse: true,
  sendRequest,
});

describe('the timer of the request queue', () => {
  const answerOne = (queue: Queue) => {
    queue.push(request(1));
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
  };

  test('kafkajs arms it when nothing is pending', () => {
    const queue = newQueue(1);
    answerOne(queue);
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
  });

  test('is not armed when nothing is pending', async () => {
    await applyPatches();
    const queue = newQueue(1);
    answerOne(queue);
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });

  test('sends what waits once the broker no longer throttles', async () => {
    await applyPatches();
    const queue = newQueue(10);
    queue.maybeThrottle(20);
    const before = Date.now();
    await new Promise<void>((sent) => queue.push(request(1, sent)));
    expect(Date.now() - before).toBeGreaterThanOrEqual(19);
    expect(queue.throttleCheckTimeoutId).toBeNull();
    queue.destroy();
  });
});

describe('the decoder of fetch responses', () => {
  type Response<T> = { decode(bytes: Buffer): Promise<{ responses: { partitions: { messages: T[] }[] }[] }> };
  const messagesOf = async <T>(records: Buffer): Promise<T[]> => {
    const response = internal('protocol/requests/fetch/v11/response') as Response<T>;
    return (await response.decode(fetchResponse(records))).responses[0]!.partitions[0]!.messages;
  };
  /** As kafkajs does it. */
  const decode = (records: Buffer) => messagesOf<{ readonly headers: object }>(records);
  /** As we do it. */
  const fetched = async (records: Buffer) => {
    const [standIn, ...more] = await messagesOf<StandIn>(records);
    expect(more).toEqual([]);
    return standIn!;
  };

  /** Throttle, error, session, one topic `t`, partition 3, error, three offsets, no aborted, no replica, records. */
  const fetchResponse = (records: Buffer): Buffer => {
    const head = Buffer.alloc(4 + 2 + 4 + 4 + 3 + 4 + 4 + 2 + 24 + 4 + 4 + 4);
    head.writeInt32BE(1, 10);
    head.writeInt16BE(1, 14);
    head.write('t', 16);
    head.writeInt32BE(1, 17);
    head.writeInt32BE(3, 21);
    head.writeInt32BE(-1, head.length - 8);
    head.writeInt32BE(records.length, head.length - 4);
    return Buffer.concat([head, records]);
  };

  type EncodeRecord = (message: object) => object;
  const batchOf = async (messages: readonly object[], lastOffsetDelta = messages.length - 1): Promise<Buffer> => {
    const record = internal('protocol/recordBatch/record/v0') as EncodeRecord;
    type Encode = (batch: object) => Promise<{ buffer: Buffer }>;
    const { RecordBatch } = internal('protocol/recordBatch/v0') as { RecordBatch: Encode };
    const records = messages.map((message, offsetDelta) => record({ offsetDelta, key: null, value: null, ...message }));
    return (await RecordBatch({ records, lastOffsetDelta })).buffer;
  };

  test('kafkajs cannot read 140,000 records of one batch', async () => {
    const batch = await batchOf(Array.from({ length: 140_000 }, () => ({})));
    await expect(decode(batch)).rejects.toThrow('Maximum call stack size exceeded');
    await applyPatches();
    const { offset, fetched: all } = await fetched(batch);
    expect([offset, all.records.length]).toEqual(['139999', 140_000]);
  });

  test('kafkajs returns nothing for a batch that holds no records', async () => {
    const batch = await batchOf([], 6);
    expect(await decode(batch)).toEqual([]);
    await applyPatches();
    const gaps = [{ from: 0n, to: 7n, reason: 'absent' }];
    expect(await fetched(batch)).toMatchObject({ offset: '6', fetched: { records: [], gaps } });
  });

  test('kafkajs does not see a damaged byte', async () => {
    const batch = await batchOf([{ value: 'an event' }]);
    batch[batch.length - 3]! ^= 1;
    expect(await decode(batch)).toHaveLength(1);
    await applyPatches();
    await expect(decode(batch)).rejects.toMatchObject({
      name: 'RecordBatchUndecodable',
      retriable: false,
      topic: 't',
      partition: 3,
      firstOffset: '0',
      codec: 'none',
    });
  });

  test('kafkajs mixes a header called constructor with the one that objects inherit', async () => {
    const batch = await batchOf([{ headers: { constructor: Buffer.from('x') } }]);
    const [message] = await decode(batch);
    expect(Object.values(message!.headers)).toEqual([[expect.any(Function), Buffer.from('x')]]);
    await applyPatches();
    expect((await fetched(batch)).fetched.records[0]?.headers).toEqual([['constructor', Buffer.from('x')]]);
  });

  test('kafkajs cannot write a header of value null', async () => {
    await expect(batchOf([{ headers: { a: null } }])).rejects.toThrow('Received null');
    const { nullHeader } = await applyPatches();
    const { fetched: all } = await fetched(await batchOf([{ headers: { a: nullHeader, b: Buffer.alloc(0) } }]));
    expect(all.records[0]?.headers).toEqual([
      ['a', null],
      ['b', Buffer.alloc(0)],
    ]);
  });
});

describe('receiving a response', () => {
  type Received = { readonly correlationId: number; readonly payload: Buffer };
  const receive = (chunks: readonly Buffer[]) => {
    const Connection = internal('network/connection') as { prototype: { processData(chunk: Buffer): void } };
    const received: Received[] = [];
    const state = {
      ...{ authHandlers: null, chunks: [] as Buffer[], bytesBuffered: 0, bytesNeeded: 4 },
      requestQueue: { fulfillRequest: (answer: Received) => received.push(answer) },
    };
    const connection = Object.assign(Object.create(Connection.prototype) as typeof Connection.prototype, state);
    for (const chunk of chunks) connection.processData(chunk);
    return { received, connection };
  };
  const response = (correlationId: number, size: number): Buffer => {
    const bytes = Buffer.alloc(8 + size, correlationId);
    bytes.writeInt32BE(4 + size, 0);
    bytes.writeInt32BE(correlationId, 4);
    return bytes;
  };
  const sizes = [0, 10, 70_000, 1, 300_000, 65_528, 65_529, 200_000, 3];
  const all = Buffer.concat(sizes.map((size, at) => response(at, size)));
  const cut = (bytes: Buffer, length: number): Buffer[] =>
    Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) => bytes.subarray(at * length, (at + 1) * length));

  test('kafkajs holds all chunks of a response until the last has come', () => {
    const { connection } = receive(cut(response(1, 300_000), 65_536).slice(0, -1));
    expect((connection as unknown as { chunks: Buffer[] }).chunks.length).toBeGreaterThan(3);
  });

  test.each([1, 5, 1000, 65_536, 1_000_000])(
    'in chunks of %i bytes each response is whole, in order',
    async (length) => {
      await applyPatches();
      const { received, connection } = receive(cut(all, length));
      expect(received.map(({ correlationId, payload }) => [correlationId, payload.length])).toEqual([
        ...sizes.entries(),
      ]);
      expect(received.every(({ correlationId, payload }) => payload.every((byte) => byte === correlationId))).toBe(
        true,
      );
      expect((connection as unknown as { chunks: Buffer[] }).chunks.length).toBeLessThan(3);
    },
  );
});

test('kafkajs delivers aborted records when a fetch begins within two aborted transactions', () => {
  const filter = internal('consumer/filterAbortedMessages') as (o: object) => { offset: string }[];
  const of = (producerId: string, offset: string, key: Buffer | null = null) => ({
    offset,
    key,
    batchContext: { producerId, inTransaction: true },
  });
  const both = [
    { producerId: '1', firstOffset: '0' },
    { producerId: '2', firstOffset: '1' },
  ];
  expect(filter({ messages: [of('2', '5'), of('1', '6')], abortedTransactions: both }).map((m) => m.offset)).toEqual([
    '5',
  ]);
  const zeroKey = [of('1', '5', Buffer.alloc(4)), of('1', '6')];
  expect(filter({ messages: zeroKey, abortedTransactions: both }).map((m) => m.offset)).toEqual(['5', '6']);
});

test('kafkajs does not hand over a batch without messages', async () => {
  type Batch = { isEmpty: () => boolean; isEmptyDueToFiltering: () => boolean };
  const make = (messages: readonly object[]) => {
    const Batch = internal('consumer/batch') as new (topic: string, offset: string, data: object) => Batch;
    return new Batch('t', '0', { partition: 0, highWatermark: '1', abortedTransactions: [], messages });
  };
  const marker = { offset: '0', isControlRecord: true };
  expect(make([marker]).isEmptyDueToFiltering()).toBe(true);
  await applyPatches();
  expect(make([marker]).isEmptyDueToFiltering()).toBe(false);
  expect(make([marker]).isEmpty()).toBe(false);
  expect(make([]).isEmpty()).toBe(true);
});

describe('the workers of a consumer', () => {
  type Fetched = { readonly partition: number };
  type FetchManager = {
    start(): Promise<void>;
    stop(): Promise<void>;
    getFetchers(): readonly { getWorkerQueue(): { getWorkers(): readonly unknown[] } }[];
  };
  type Runner = { fetchManager: FetchManager; running: boolean };
  const silent = { namespace: () => silent, debug: () => undefined, info: () => undefined };

  /** A runner of one broker that fetches from all of these partitions once, and what its handler was given by when. */
  const runOnce = async (partitions: readonly number[], concurrency: number) => {
    const begun: number[] = [];
    const handled = Promise.withResolvers<undefined>();
    let fetches = 0;
    const batchOf = (partition: number) => ({
      ...{ topic: 't', partition, highWatermark: '9', messages: [{}], rawMessages: [{}] },
      ...{ offsetLag: () => '0', offsetLagLow: () => '0', firstOffset: () => '0', lastOffset: () => '0' },
      ...{ isEmpty: () => false, isEmptyDueToFiltering: () => false },
    });
    const runnerClass = internal('consumer/runner') as new (options: object) => Runner;
    const runner = new runnerClass({
      ...{ logger: silent, concurrency, heartbeatInterval: 1, onCrash: () => undefined, autoCommit: false },
      instrumentationEmitter: { emit: () => undefined },
      consumerGroup: {
        getNodeIds: () => ['1'],
        assigned: () => [{ topic: 't', partitions }],
        fetch: () => Promise.resolve(fetches++ === 0 ? partitions.map(batchOf) : new Promise(() => undefined)),
        hasSeekOffset: () => false,
        resolveOffset: () => undefined,
        heartbeat: () => Promise.resolve(),
      },
      eachBatch: async ({ batch }: { batch: Fetched }) => {
        begun.push(batch.partition);
        await handled.promise;
      },
    });
    runner.running = true;
    void runner.fetchManager.start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const workers = runner.fetchManager.getFetchers()[0]!.getWorkerQueue().getWorkers().length;
    handled.resolve(undefined);
    return { begun, workers };
  };

  test('kafkajs has a fixed number of them, of which each fetch starts all', async () => {
    expect(await runOnce([0, 1, 2], 1)).toEqual({ begun: [0], workers: 1 });
  });

  test('are as many as may be needed, so that all of a fetch is handed over at once', async () => {
    await applyPatches();
    const { begun, workers } = await runOnce([0, 1, 2], 1);
    expect(begun).toEqual([0, 1, 2]);
    expect(workers).toBeLessThanOrEqual(6);
  });
});
