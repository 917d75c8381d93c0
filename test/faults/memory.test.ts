import { beforeAll, expect } from '@jest/globals';
import kafkajs, { type CompressionTypes, type Message } from 'kafkajs';
import { benchEvents } from '../../bench/events.ts';
import { boundedHeap, boundedMalloc } from '../../scripts/memory-bounds.ts';
import { build, builtProgram, peakMiBOf, testWithProc } from '../support/built-program.ts';
import { testKafka } from '../support/load.ts';
import { ownSites } from '../support/own-sites.ts';
import type { Running } from '../support/pipeline-process.ts';
import { untilCaughtUp } from '../support/site-account.ts';

// The most memory that `immutrail run` ever holds while it works off a backlog, for each codec of Kafka: a compressed
// fetch holds several times its bytes. What is built is run, as in the container: to strip types takes 20 MB and more.
// IMMUTRAIL_LONG=1 makes the backlog five times as long.

const records = process.env['IMMUTRAIL_LONG'] === '1' ? 1_000_000 : 200_000;
const sizeBytes = 1024;
const perRequest = 2000;
const mostMiB = 256;

const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;
const codecs: readonly [name: string, type: CompressionTypes][] = [
  ['none', None],
  ['gzip', GZIP],
  ['snappy', Snappy],
  ['lz4', LZ4],
  ['zstd', ZSTD],
];

const { stack, open } = ownSites();
beforeAll(build, 300_000);

const produceBacklog = async (topic: string, compression: CompressionTypes): Promise<void> => {
  const producer = testKafka(stack()).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const startMs = Date.UTC(2026, 0, 1);
  const events = benchEvents({ count: records, perCorrelation: 20, sizeBytes, startMs, timeSpreadMs: 3_600_000 });
  let messages: Message[] = [];
  const send = async () => {
    await producer.send({ topic, acks: 1, compression, messages });
    messages = [];
  };
  try {
    for (const { key, value, headers } of events) {
      if (messages.push({ key, value, headers }) === perRequest) await send();
    }
    if (messages.length > 0) await send();
  } finally {
    await producer.disconnect();
  }
};

const storedBy = async ({ url }: Running): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^immutrail_stored_total (\d+)/m.exec(text)?.[1] ?? 0);
};

testWithProc.each(codecs)(
  `a backlog of ${records} records in codec %s takes at most ${mostMiB} MiB`,
  async (name, codec) => {
    const site = await open({ program: builtProgram });
    await produceBacklog(site.topic, codec);
    const running = await site.run(boundedMalloc, 'trusted', boundedHeap);
    await running.ready();
    const started = performance.now();
    const died = running.exited.then(({ code, signal }) => {
      throw new Error(`the pipeline ended with ${String(code ?? signal)}:\n${running.output().slice(-4000)}`);
    });
    died.catch(() => undefined);
    await Promise.race([untilCaughtUp(site, 900_000), died]);
    const seconds = (performance.now() - started) / 1000;
    const peak = peakMiBOf(running.pid);
    expect(await storedBy(running)).toBe(records);
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
    console.log(`${name}: peak ${peak} MiB, ${Math.round(records / seconds)} records/s`);
    expect(peak).toBeGreaterThan(40);
    expect(peak).toBeLessThanOrEqual(mostMiB);
  },
  1_200_000,
);
