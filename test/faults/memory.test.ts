import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import kafkajs, { type CompressionTypes, type Message } from 'kafkajs';
import { benchEvents } from '../../bench/events.ts';
import { testKafka } from '../support/load.ts';
import { openSite, type Running, type Site } from '../support/pipeline-process.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { untilCaughtUp } from '../support/site-account.ts';
import type { Stack } from '../../stack/stack.ts';

// The most memory that `immutrail run` ever holds while it works off a backlog, for each codec of Kafka: a compressed
// fetch holds several times its bytes. What is built is run, as in the container: to strip types takes 20 MB and more.
// IMMUTRAIL_LONG=1 makes the backlog five times as long.

const records = process.env['IMMUTRAIL_LONG'] === '1' ? 1_000_000 : 200_000;
const sizeBytes = 1024;
const perRequest = 2000;
const mostMiB = 256;
const program = new URL('../../dist/main.js', import.meta.url).pathname;
const heap = ['--max-old-space-size=128', '--max-semi-space-size=8'];

const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;
const codecs: readonly [name: string, type: CompressionTypes][] = [
  ['none', None],
  ['gzip', GZIP],
  ['snappy', Snappy],
  ['lz4', LZ4],
  ['zstd', ZSTD],
];

let stack: Stack;
const sites: Site[] = [];
beforeAll(async () => {
  execFileSync(process.execPath, ['scripts/build.ts']);
  stack = await sharedStack();
}, 300_000);
afterAll(async () => {
  for (const site of sites) await site.close();
});

const produceBacklog = async (topic: string, compression: CompressionTypes): Promise<void> => {
  const producer = testKafka(stack).producer({ allowAutoTopicCreation: false });
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

/** Peak of resident memory in MiB: the kernel keeps it, so no look can come too late or too early. */
const peakMiB = ({ pid }: Running): number => {
  const [, kB = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kB) / 1024);
};

const storedBy = async ({ url }: Running): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^immutrail_stored_total (\d+)/m.exec(text)?.[1] ?? 0);
};

const withProc = existsSync('/proc/self/status') ? test : test.skip;
if (withProc === test.skip) console.warn('skipped: peak memory is read from /proc, which this system does not have');

withProc.each(codecs)(
  `a backlog of ${records} records in codec %s takes at most ${mostMiB} MiB`,
  async (name, codec) => {
    const site = await openSite(stack, { program });
    sites.push(site);
    await produceBacklog(site.topic, codec);
    const running = await site.run({}, 'trusted', heap);
    await running.ready();
    const started = performance.now();
    const died = running.exited.then(({ code, signal }) => {
      throw new Error(`the pipeline ended with ${String(code ?? signal)}:\n${running.output().slice(-4000)}`);
    });
    died.catch(() => undefined);
    await Promise.race([untilCaughtUp(site, 900_000), died]);
    const seconds = (performance.now() - started) / 1000;
    const peak = peakMiB(running);
    expect(await storedBy(running)).toBe(records);
    running.kill('SIGTERM');
    expect((await running.exited).code).toBe(0);
    console.log(`${name}: peak ${peak} MiB, ${Math.round(records / seconds)} records/s`);
    expect(peak).toBeGreaterThan(40);
    expect(peak).toBeLessThanOrEqual(mostMiB);
  },
  1_200_000,
);
