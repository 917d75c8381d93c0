/**
 * `node bench/own-work.ts [events [rounds]]`: what an event costs the pipeline's own thread, without servers: from the bytes of a
 * fetch response to a sealed transaction and its root. Steadier than a run beside servers, so for comparing two versions.
 * Prints CPU µs per event, of each round and of each stage.
 */
import { createRequire } from 'node:module';
import { batcher } from '../src/consumers/batcher.ts';
import { readFrom } from '../src/consumers/kafka/delivery.ts';
import { decodeRecordBatches } from '../src/consumers/kafka/record-batch.ts';
import { batchOf, draftBatch, type Draft } from '../src/pipeline/draft.ts';
import { judgeAll } from '../src/pipeline/judge.ts';
import { sameContent } from '../src/schemas/canonical.ts';
import { plainDecoder } from '../src/schemas/registry/decoder.ts';
import { transactionBudget } from '../src/sinks/immudb/budget.ts';
import { compose } from '../src/sinks/immudb/compose.ts';
import { rootOfRequest } from '../src/sinks/immudb/request-root.ts';
import { benchEvents } from './events.ts';
import { median } from './figures.ts';

const require = createRequire(import.meta.url);
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: object) => object;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: object) => Promise<{ readonly buffer: Buffer }>;
};

const [, , count = '100000', repeats = '5'] = process.argv;
const events = Number(count);
const perFetch = 1000;

/** Record batches as a broker returns them, one a fetch and partition. */
const fetches = async (): Promise<Buffer[]> => {
  const shape = { count: events, perCorrelation: 10, sizeBytes: 1000, startMs: Date.now(), timeSpreadMs: 60_000 };
  const all = [...benchEvents(shape)];
  const made: Buffer[] = [];
  for (let at = 0; at < all.length; at += perFetch) {
    const records = all
      .slice(at, at + perFetch)
      .map(({ key, value }, offsetDelta) => encodeRecord({ key, value, headers: {}, offsetDelta, timestampDelta: 0 }));
    const firstTimestamp = Date.now();
    const lastOffsetDelta = records.length - 1;
    const batch = { records, lastOffsetDelta, firstTimestamp, maxTimestamp: firstTimestamp, firstOffset: at };
    const bytes = Buffer.from((await RecordBatch(batch)).buffer);
    made.push(bytes);
  }
  return made;
};

const stages = new Map<string, number>();
const timed = async <T>(stage: string, work: () => Promise<T> | T): Promise<T> => {
  const started = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(started);
  stages.set(stage, (stages.get(stage) ?? 0) + user + system);
  return result;
};

const over = new AbortController().signal;
const breathe = () => new Promise<void>((resolve) => void setImmediate(resolve));
const never = () => {
  throw new Error('the benchmark holds no compressed batches');
};
const composed = async (draft: Draft) => {
  const judged = draft.parts.flatMap((part) => part.judged);
  const verdicts = judgeAll(judged, () => undefined, sameContent);
  return await compose(batchOf(draft, verdicts), { source: 1, deadLetters: 2 }, 'bench', breathe);
};

const round = async (given: readonly Buffer[]): Promise<void> => {
  const queue = batcher({ maxEvents: 1000, maxBytes: 8_000_000, maxAgeMs: 5 });
  const inspect = plainDecoder(() => null);
  for (const [at, bytes] of given.entries()) {
    const partition = at % 8;
    const fetched = await timed('fetch', () => decodeRecordBatches(bytes, partition, never));
    const delivery = readFrom(fetched?.records[0]?.offset ?? 0n, fetched);
    void queue.add({ ...delivery, partition, over, epoch: 0, first: delivery.from });
    while (queue.queued().records >= 1000) {
      const draft = await timed('draft', () =>
        draftBatch(
          queue,
          () => transactionBudget({ maxBytes: 8_000_000 }),
          1000,
          inspect,
          () => ({ last: null, unchecked: false }),
          breathe,
        ),
      );
      const transaction = await timed('compose', () => composed(draft));
      const request = await timed('seal', () => transaction.seal(new Map()));
      await timed('root (another thread)', () => rootOfRequest(request));
      transaction.release();
      for (const { slice } of draft.parts) slice.pending.settle(slice);
    }
  }
};

const given = await fetches();
const totals: number[] = [];
for (let at = 0; at < Number(repeats); at += 1) {
  stages.clear();
  const started = process.cpuUsage();
  await round(given.map((bytes) => Buffer.from(bytes)));
  const { user, system } = process.cpuUsage(started);
  totals.push((user + system) / events);
  const parts = [...stages].map(([stage, us]) => `${stage} ${(us / events).toFixed(2)}`).join(', ');
  console.log(`round ${at + 1}: ${((user + system) / events).toFixed(2)} CPU µs/event (${parts})`);
}
console.log(`median ${median(totals).toFixed(2)} CPU µs/event`);
