import { scheduler, setTimeout as sleep } from 'node:timers/promises';
import { batcher } from '../consumers/batcher.ts';
import { breaker } from '../pipeline/breaker.ts';
import { assignment } from '../pipeline/assignment.ts';
import { pipeline, type Pipeline } from '../pipeline/deliver.ts';
import { sameContent } from '../schemas/canonical.ts';
import { valueSha256 } from '../schemas/record-hash.ts';
import { publishCheckpoints } from './checkpoints.ts';
import { toldHappenings } from './happenings.ts';
import { patience, starting } from './patience.ts';
import { provingAll } from './proving.ts';
import { recordDecoder } from './registry.ts';
import { makeSource, openDeadLetters, openEnds, openMonitors, openSink, type RunOptions } from './run-parts.ts';

/** How long a log may go unrecognised while its records are stored, and how often a held partition looks again. */
const recogniseEveryMs = 10_000;
const lookLateMs = 3000;
const lookEveryMs = 2_000;
/** With the time that a proof takes, it is made at least once a second. */
const proveEveryMs = 750;

/**
 * Wires and starts the pipeline. Resolves when it consumes, with a promise that rejects with what halts it; rejects
 * with what prevented the start. What was opened is pushed on the lifecycle as it is opened.
 */
export const startPipeline = async (options: RunOptions): Promise<{ halted: Promise<never> }> => {
  const { config, telemetry, lifecycle, readiness, proving = provingAll } = options;
  const { closeMs, fetchMs, writeMs, commitMs } = config.stop;
  const retry = patience(config.ledger, telemetry, readiness);
  const ends = await openEnds(options, starting(retry, AbortSignal.timeout(config.ledger.startTimeoutMs)));
  const { ledger, kafka, site } = ends;
  const deadLetters = await openDeadLetters(options, ends);
  const sink = await openSink(options, ends, proving);

  const halt = (error: Error) => running.failed(error);
  const own = (isOwner: boolean) => checkpoints.own(isOwner);
  const happenings = toldHappenings(telemetry, readiness, { own, failed: halt });
  const source = makeSource(options, ends);
  const queue = batcher(config.batch);
  telemetry.watch(() => ({ queue: queue.queued(), trustedTx: ledger.trusted.current().id }));
  const now = () => performance.now();
  const trips = breaker(config.breaker);
  const lanes = assignment({
    breaker: trips,
    source,
    sink,
    batcher: queue,
    retrying: retry,
    happenings,
    sha256: (record) => valueSha256(record.value),
    clusterId: site.log.clusterId,
    maxLoss: BigInt(config.gaps.maxLoss),
    recogniseEveryMs,
    lookEveryMs,
    now,
    wait: (ms, signal) => sleep(ms, undefined, { signal }),
  });
  const running: Pipeline = pipeline({
    source,
    sink,
    deadLetters,
    batcher: queue,
    assignment: lanes,
    retrying: retry,
    happenings,
    breaker: trips,
    inspect: recordDecoder(config),
    isSameContent: sameContent,
    maxEvents: config.batch.maxEvents,
    now,
    breathe: () => scheduler.yield(),
  });

  const look = async () => {
    await sink.open([]);
    await ledger.advance();
  };
  const watchLedger = () => proving.watch({ look, readiness, failed: halt, everyMs: proveEveryMs, lateMs: lookLateMs });
  await lifecycle.open('ledger watch', closeMs, watchLedger, (watch) => () => watch.stop());
  await openMonitors(options, ends);
  const halted = Promise.withResolvers<never>();
  halted.promise.catch(() => undefined);
  // Closed in the reverse order: no more fetches, finish the write under way, commit and leave the group.
  await lifecycle.open('group membership', commitMs, ignore, () => () => source.stop());
  const checkpoints = await publishCheckpoints({ config, kafka, ledger, lifecycle, telemetry, readiness, halt });
  await lifecycle.open(
    'writing',
    writeMs,
    () => void running.run().catch(halted.reject),
    () => () => running.stop(),
  );
  await lifecycle.open(
    'fetching',
    fetchMs,
    () => source.start(running),
    () => () => source.quiesce(),
  );
  return { halted: halted.promise };
};

const ignore = () => undefined;
