/**
 * The pipeline as `immutrail run` wires it, told by what it writes. Prints a JSON line per batch with --batches, and one
 * with the figures when it has written as many records as asked for. Times are from the first to the last batch, with
 * the first fetch before it. With --without-proofs headers are not followed, no dual proof is asked for, and the trusted
 * state stays what it was: what proofs cost is the difference.
 */
import { loadConfig } from '../src/config.ts';
import { lifecycle } from '../src/lifecycle.ts';
import { createLog } from '../src/log.ts';
import { telemetry, type Telemetry } from '../src/telemetry.ts';
import { createMetrics } from '../src/telemetry/metrics.ts';
import { letHeapGrow } from '../src/wire/heap.ts';
import type { Proving } from '../src/wire/proving.ts';
import { startPipeline } from '../src/wire/run.ts';
import { percentile, resources } from './figures.ts';

const wanted = Number(process.argv[2]);
const provingNothing: Proving = {
  follow: () => Promise.resolve(),
  watch: () => ({ stop: () => Promise.resolve() }),
};
const showBatches = process.argv.includes('--batches');
letHeapGrow();
const config = loadConfig();
const real = telemetry({ log: createLog(config.log), metrics: createMetrics({ ofProcess: false }), version: 'bench' });
const done = Promise.withResolvers<undefined>();
const writes: number[] = [];
let measured: ReturnType<typeof resources> | null = null;
let started = 0;
let written = 0;
let transactions = 0;
let entries = 0;

const tell: Telemetry = {
  ...real,
  partitionOpened: (partition, next) => {
    real.partitionOpened(partition, next);
    if (measured !== null) return;
    measured = resources();
    started = performance.now();
  },
  batchWritten: (batch) => {
    real.batchWritten(batch);
    const dead = [...batch.dead.values()].reduce((sum, count) => sum + count, 0);
    written += batch.stored + batch.duplicates + dead;
    transactions += 1;
    entries += batch.entries;
    writes.push(batch.durationMs);
    if (showBatches) {
      const at = performance.timeOrigin + performance.now();
      const spans = batch.spans.map(({ partition, first, next }) => [partition, Number(first), Number(next)]);
      console.log(JSON.stringify({ at, spans }));
    }
    if (written >= wanted) done.resolve(undefined);
  },
};
const life = lifecycle({ telemetry: tell });
const { halted } = await startPipeline({
  config,
  telemetry: tell,
  lifecycle: life,
  kafkaLog: () => undefined,
  readiness: { meet: () => undefined, miss: () => undefined, warn: () => undefined },
  ...(process.argv.includes('--without-proofs') && { proving: provingNothing }),
});
process.on('SIGTERM', () => done.resolve(undefined));
await Promise.race([halted, done.promise]);
const seconds = (performance.now() - started) / 1000;
const figures = (measured as ReturnType<typeof resources> | null)?.(written, seconds);
console.log(
  JSON.stringify({
    ...figures,
    transactions,
    entriesPerTx: Math.round(entries / transactions),
    p50: percentile(writes, 0.5),
    p99: percentile(writes, 0.99),
  }),
);
await life.stop();
