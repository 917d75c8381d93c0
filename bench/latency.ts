import type { OutgoingMessage } from '../src/producers/publish.ts';
import { benchEvents } from './events.ts';
import { percentile } from './figures.ts';
import { resultOf, type BenchSite, type Result } from './site.ts';

const seconds = 20;
const perTick = 10;
const tickMs = 10;
/** Start-up: connections, compilation. */
const warmUpMs = 5000;

const wallMs = () => performance.timeOrigin + performance.now();
const placeOf = (partition: number, offset: number) => `${partition}/${offset}`;

/** From the broker's acknowledgement to the committed transaction, at 1,000 events a second. Milliseconds. */
export const latency = async (site: BenchSite): Promise<Result> => {
  const topic = await site.newTopic('latency', []);
  const written = new Map<string, number>();
  const child = site.startPipeline(await site.newLedger(topic), '100000000', '--batches');
  const done = resultOf(child, (line) => {
    const { at, spans = [] } = JSON.parse(line) as { at?: number; spans?: [number, number, number][] };
    if (at === undefined) return;
    for (const [partition, first, next] of spans) {
      for (let offset = first; offset < next; offset += 1) written.set(placeOf(partition, offset), at);
    }
  });
  const started = wallMs();
  const acked = await produce(site, topic);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  child.kill('SIGTERM');
  const { transactions = 0, p50: writeP50 = 0 } = await done;
  const warm = [...acked].filter(([, at]) => at > started + warmUpMs);
  const latencies = warm.flatMap(([place, at]) => {
    const stored = written.get(place);
    return stored === undefined ? [] : [Math.max(0, stored - at)];
  });
  return {
    events: latencies.length,
    missing: warm.length - latencies.length,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    transactions,
    writeP50,
  };
};

/** When each record was acknowledged, by its place. */
const produce = async ({ kafka }: BenchSite, topic: string): Promise<Map<string, number>> => {
  const acked = new Map<string, number>();
  const producer = kafka.producer();
  await producer.connect();
  const count = (1000 / tickMs) * perTick * seconds;
  const shape = { count, perCorrelation: 10, sizeBytes: 1000, startMs: Date.now(), timeSpreadMs: 1000 * seconds };
  const source = benchEvents(shape);
  const send = async (tick: number): Promise<void> => {
    const messages = Array.from({ length: perTick }, (_, index) => {
      const { key, value } = source.next().value as OutgoingMessage;
      return { key, value, partition: (tick + index) % 8 };
    });
    const answers = await producer.send({ topic, acks: -1, messages });
    const at = wallMs();
    for (const { partition, baseOffset } of answers) {
      const sent = messages.filter((message) => message.partition === partition).length;
      for (let index = 0; index < sent; index += 1) acked.set(placeOf(partition, Number(baseOffset) + index), at);
    }
  };
  const started = performance.now();
  const sends: Promise<void>[] = [];
  for (let tick = 0; tick < (seconds * 1000) / tickMs; tick += 1) {
    const waitMs = started + tick * tickMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    sends.push(send(tick));
  }
  await Promise.all(sends);
  await producer.disconnect();
  return acked;
};
