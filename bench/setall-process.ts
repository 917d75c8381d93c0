/** Bare SetAll through the project's client: one key per event, 1,000 events per transaction. Prints one JSON line. */
import { encodeSetRequest, openLedgerClient } from '../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../src/sinks/immudb/credentials.ts';
import { benchEvents } from './events.ts';
import { percentile, resources } from './figures.ts';

const [host = '', port = '', passwordFile = '', database = '', events = '', inFlight = '', perTx = '1000'] =
  process.argv.slice(2);
const client = await openLedgerClient({
  host,
  port: Number(port),
  database,
  username: 'immudb',
  password: passwordFromFile(passwordFile),
  channels: 2,
  deadlineMs: 60_000,
});
const count = Number(events);
const size = Number(perTx);
const shape = { count, perCorrelation: 10, sizeBytes: 1000, startMs: Date.now() - 60_000, timeSpreadMs: 60_000 };
const all = [...benchEvents(shape)].flatMap(({ value }) => (value === null ? [] : [value]));
const latencies: number[] = [];
let next = 0;
const lane = async () => {
  while (next < count) {
    const from = next;
    next += size;
    const entries = all.slice(from, from + size).map((value) => ({
      key: Buffer.from(`event/${value.toString('latin1', 13, 49)}`),
      value,
    }));
    const sent = performance.now();
    await client.set(encodeSetRequest({ entries, noWait: true }));
    latencies.push(performance.now() - sent);
  }
};
const measured = resources();
await Promise.all(Array.from({ length: Number(inFlight) }, lane));
console.log(JSON.stringify({ ...measured(count), p50: percentile(latencies, 0.5), p99: percentile(latencies, 0.99) }));
await client.close();
