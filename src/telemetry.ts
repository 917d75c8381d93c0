import { errorTable, PipelineError, type ErrorCode } from './errors.ts';
import type { Log } from './log.ts';
import type { BatchWritten, Happenings } from './pipeline/happenings.ts';
import { rejectionTable } from './schemas/rejection.ts';
import type { Gap } from './schemas/record.ts';
import { checkpointTelemetry, type CheckpointTelemetry } from './telemetry/checkpoints.ts';
import { lagOf, positionOf, waitingMsOf, type PartitionLag } from './telemetry/lag.ts';
import type { Metrics } from './telemetry/metrics.ts';

export type Retry = {
  readonly doing: string;
  readonly attempt: number;
  readonly delayMs: number;
  readonly err: unknown;
};

/** What changes too often to be told each time. */
export type Standing = {
  readonly queue: { readonly records: number; readonly bytes: number };
  readonly trustedTx: bigint;
};

/**
 * Everything that happens, one method each: its log line and its metrics are emitted together and nowhere else. Levels:
 * error and fatal, data is at risk or a person must act; warn, odd but nothing lost; info, life cycle; the rest is debug.
 * No method throws, waits, or takes a payload or a secret.
 */
export type Telemetry = Happenings &
  CheckpointTelemetry & {
    started(summary: Readonly<Record<string, unknown>>): void;
    stopping(why: string): void;
    /** One step of a start or stop ended, in `tookMs`, well or with an error. */
    stepEnded(step: string, tookMs: number, err?: unknown): void;
    halted(error: PipelineError): void;
    /** A topic's settings could lose data. */
    topicDoubtful(topic: string, problem: string, advice: string): void;
    readyChanged(conditions: ReadonlyMap<string, boolean>): void;
    retrying(retry: Retry): void;
    recovered(after: { readonly doing: string; readonly attempts: number; readonly elapsedMs: number }): void;
    committed(partitions: number): void;
    writeRefused(why: 'exists' | 'moved' | 'acted'): void;
    writesInFlight(count: number): void;
    /** Not a happening: `look` is asked for before each reading of the metrics. */
    watch(look: () => Standing): void;
    rateLimited(waitedMs: number): void;
    sessionReopened(): void;
    trustedStateNotKept(err: unknown): void;
    deadLettersSent(count: number): void;
    lagRead(group: string, rows: readonly PartitionLag[]): void;
    lagReadFailed(err: unknown): void;
    depthRead(depth: DeadLetterDepth): void;
    depthReadFailed(err: unknown): void;
  };

/** Dead letters that are not settled, and since when (Unix seconds) the longest untouched of them waits. */
export type DeadLetterDepth = { readonly byCode: ReadonlyMap<string, number>; readonly oldestAt: bigint | null };

export type TelemetryOptions = {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly version: string;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number;
  /** Unix milliseconds; default `Date.now`. Only ages of records are measured with it. */
  readonly wallMs?: () => number;
};

type Context = Required<TelemetryOptions>;

export const telemetry = (options: TelemetryOptions): Telemetry => {
  const context: Context = { now: () => performance.now(), wallMs: () => Date.now(), ...options };
  context.metrics.set('immutrail_build_info', 1, { version: options.version, node: process.version });
  return {
    ...lifeCycle(context),
    ...assignments(context),
    ...writing(context),
    ...ledger(context),
    ...checkpointTelemetry(context),
    ...waiting(context),
    ...commits(context),
    ...lag(context),
    ...depth(context),
  };
};

// The ledger is not what it was proven to be.
const proofCodes: ReadonlySet<ErrorCode> = new Set([
  'LEDGER_PROOF_FAILED',
  'LEDGER_HEADER_MISMATCH',
  'LEDGER_ROLLED_BACK',
  'LEDGER_KEY_DELETED',
  'GENESIS_MISMATCH',
]);

const lifeCycle = ({ log, metrics }: Context) => {
  const halted = (error: PipelineError): void => {
    metrics.add('immutrail_halts_total', 1, { code: error.code });
    if (proofCodes.has(error.code)) metrics.add('immutrail_proof_failures_total', 1, {});
    log.fatal({ err: error, code: error.code, advice: error.entry.advice }, 'halted');
  };
  let isReady: boolean | undefined;
  return {
    started: (summary) => log.info(summary, 'started'),
    stopping: (why) => log.info({ why }, 'stopping'),
    stepEnded: (step, tookMs, err) => {
      if (err === undefined) log.info({ step, tookMs: Math.round(tookMs) }, 'step ended');
      else log.error({ step, tookMs: Math.round(tookMs), err }, 'step failed');
    },
    halted,
    topicDoubtful: (topic, problem, advice) => log.warn({ topic, problem, advice }, 'topic settings could lose data'),
    failed: (error) => {
      if (error instanceof PipelineError) halted(error);
      else halted(new PipelineError('UNEXPECTED', 'the pipeline failed', { cause: error }));
    },
    readyChanged: (conditions) => {
      const missing = [...conditions].flatMap(([condition, holds]) => (holds ? [] : [condition]));
      for (const [condition, holds] of conditions) metrics.set('immutrail_condition', Number(holds), { condition });
      metrics.set('immutrail_ready', Number(missing.length === 0), {});
      const wasReady = isReady;
      isReady = missing.length === 0;
      if (isReady && !wasReady) log.info('ready');
      else if (!isReady && wasReady !== false) log.info({ missing }, 'not ready');
    },
  } satisfies Partial<Telemetry>;
};

const assignments = ({ log, metrics }: Context) => {
  const held = new Set<number>();
  const holdings = (): void => metrics.set('immutrail_partitions_held', held.size, {});
  const dropAll = (): void => {
    held.clear();
    holdings();
  };
  return {
    assigned: (epoch, partitions) => {
      dropAll();
      metrics.add('immutrail_rebalances_total', 1, {});
      metrics.set('immutrail_partitions_assigned', partitions.length, {});
      log.info({ epoch, partitions }, 'partitions assigned');
    },
    letGo: () => {
      dropAll();
      metrics.set('immutrail_partitions_assigned', 0, {});
      log.info('partitions let go');
    },
    partitionOpened: (partition, next) => log.info({ partition, next: String(next) }, 'partition opened'),
    partitionMoved: (partition, next) => {
      metrics.add('immutrail_fences_total', 1, {});
      log.warn({ partition, next: String(next) }, 'partition moved by another writer');
    },
    partitionHeld: (partition, tripped) => {
      held.add(partition);
      holdings();
      if (tripped === null) log.error({ partition }, 'partition held until the loss is accepted');
      else log.error({ partition, why: tripped }, 'partition held by the breaker until a person releases it');
    },
    partitionReleased: (partition) => {
      held.delete(partition);
      holdings();
      log.info({ partition }, 'partition released');
    },
  } satisfies Partial<Telemetry>;
};

const width = ({ from, to }: Gap): number => Number(to - from);
const sum = (counts: Iterable<number>): number => [...counts].reduce((total, count) => total + count, 0);

// A code that the table does not have would make a label without bounds.
const rejectionLabel = (code: string): string => (Object.hasOwn(rejectionTable, code) ? code : 'other');
const errorLabel = (error: unknown): string =>
  error instanceof PipelineError && Object.hasOwn(errorTable, error.code) ? error.code : 'other';

const writing = ({ log, metrics }: Context) =>
  ({
    batchWritten: (written) => {
      measure(metrics, written);
      const { tx, spans, stored, duplicates, entries, bytes, durationMs } = written;
      const partitions = spans.length;
      log.debug({ tx: String(tx), partitions, stored, duplicates, entries, bytes, durationMs }, 'batch written');
      for (const [type, { count, doubt }] of written.doubtful) {
        log.warn({ tx: String(tx), type, count, doubt }, 'payload is not what the catalogue says');
      }
      if (written.dead.size > 0) log.warn({ tx: String(tx), codes: Object.fromEntries(written.dead) }, 'dead letters');
    },
    eventsFound: (count) => {
      metrics.add('immutrail_events_found_total', count, {});
      log.debug({ count }, 'events found in the ledger');
    },
    recordsLost: (partition, gap) => {
      metrics.add('immutrail_lost_total', width(gap), {});
      log.error({ partition, from: String(gap.from), to: String(gap.to) }, 'records lost: Kafka deleted them unread');
    },
    deadLettersSent: (count) => {
      metrics.add('immutrail_dead_letters_sent_total', count, {});
      log.debug({ count }, 'dead letters sent');
    },
    writesInFlight: (count) => metrics.set('immutrail_writes_in_flight', count, {}),
    watch: (look) =>
      metrics.beforeReading(() => {
        const { queue, trustedTx } = look();
        metrics.set('immutrail_queue_records', queue.records, {});
        metrics.set('immutrail_queue_bytes', queue.bytes, {});
        metrics.set('immutrail_trusted_transaction', Number(trustedTx), {});
      }),
  }) satisfies Partial<Telemetry>;

const measure = (metrics: Metrics, written: BatchWritten): void => {
  const { stored, duplicates, dead, gaps, entries, bytes, fill, durationMs } = written;
  metrics.add('immutrail_stored_total', stored, {});
  metrics.add('immutrail_duplicates_total', duplicates, {});
  for (const { count } of written.doubtful.values()) metrics.add('immutrail_doubtful_payloads_total', count, {});
  for (const [code, count] of dead) metrics.add('immutrail_dead_letters_total', count, { code: rejectionLabel(code) });
  for (const gap of gaps) metrics.add('immutrail_gaps_total', width(gap), { reason: gap.reason });
  metrics.observe('immutrail_batch_events', stored + duplicates + sum(dead.values()));
  metrics.observe('immutrail_batch_entries', entries);
  metrics.observe('immutrail_batch_bytes', bytes);
  metrics.observe('immutrail_batch_fill_ratio', fill);
  metrics.observe('immutrail_ledger_write_seconds', durationMs / 1000);
};

const ledger = ({ log, metrics }: Context) =>
  ({
    writeRefused: (why) => {
      metrics.add('immutrail_write_refusals_total', 1, { why });
      log.debug({ why }, 'write refused');
    },
    sessionReopened: () => {
      metrics.add('immutrail_session_reopens_total', 1, {});
      log.info('session with immudb opened anew');
    },
    trustedStateNotKept: (err) => {
      metrics.add('immutrail_trusted_state_failures_total', 1, {});
      log.error({ err }, 'trusted state could not be kept');
    },
    rateLimited: (waitedMs) => {
      metrics.add('immutrail_rate_limit_wait_seconds_total', waitedMs / 1000, {});
      log.debug({ waitedMs: Math.round(waitedMs) }, 'waited for the rate limit');
    },
  }) satisfies Partial<Telemetry>;

// An outage of hours says so at attempts 1, 2, 4, 8 … and not at each.
const isPowerOfTwo = (attempt: number): boolean => Number.isInteger(Math.log2(attempt));

const waiting = ({ log, metrics }: Context) =>
  ({
    retrying: ({ doing, attempt, delayMs, err }) => {
      metrics.add('immutrail_retries_total', 1, { cause: errorLabel(err) });
      const fields = { doing, attempt, delayMs: Math.round(delayMs), err };
      if (isPowerOfTwo(attempt)) log.warn(fields, 'retrying');
      else log.debug(fields, 'retrying');
    },
    recovered: ({ doing, attempts, elapsedMs }) =>
      log.info({ doing, attempts, elapsedMs: Math.round(elapsedMs) }, 'recovered'),
  }) satisfies Partial<Telemetry>;

const commits = ({ log, metrics, now }: Context) => {
  let lastMs = now();
  metrics.beforeReading(() => metrics.set('immutrail_since_last_commit_seconds', (now() - lastMs) / 1000, {}));
  return {
    committed: (partitions) => {
      lastMs = now();
      log.debug({ partitions }, 'offsets committed');
    },
    commitRefused: (partitions) => {
      metrics.add('immutrail_commit_refusals_total', 1, {});
      log.info({ partitions }, 'commit refused by Kafka; the ledger has the events');
    },
  } satisfies Partial<Telemetry>;
};

const lagGauges = [
  'kafka_consumergroup_lag',
  'kafka_consumergroup_lag_sum',
  'kafka_consumergroup_current_offset',
  'kafka_topic_partition_current_offset',
  'immutrail_lag_seconds',
  'immutrail_retention_overtook_offsets',
] as const;

const lag = ({ log, metrics, wallMs }: Context) =>
  ({
    lagRead: (group, rows) => {
      // Partitions that are gone leave no gauge behind.
      for (const name of lagGauges) metrics.clear(name);
      const sums = new Map<string, number>();
      for (const row of rows) {
        showLag(metrics, group, row, wallMs());
        sums.set(row.topic, (sums.get(row.topic) ?? 0) + Number(lagOf(row).lag));
      }
      for (const [topic, total] of sums) {
        metrics.set('kafka_consumergroup_lag_sum', total, { consumergroup: group, topic });
      }
      log.debug({ group, lag: Object.fromEntries(sums) }, 'lag read');
    },
    lagReadFailed: (err) => {
      metrics.add('immutrail_lag_read_failures_total', 1, {});
      log.debug({ err }, 'lag could not be read');
    },
  }) satisfies Partial<Telemetry>;

const depth = ({ log, metrics, wallMs }: Context) => {
  let oldestAt: bigint | null = null;
  let isRead = false;
  metrics.beforeReading(() => {
    const ageSeconds = oldestAt === null ? 0 : Math.max(0, wallMs() / 1000 - Number(oldestAt));
    if (isRead) metrics.set('immutrail_dead_letters_oldest_seconds', ageSeconds, {});
  });
  return {
    depthRead: (depth) => {
      isRead = true;
      oldestAt = depth.oldestAt;
      metrics.clear('immutrail_dead_letters_unsettled');
      for (const code of Object.keys(rejectionTable)) metrics.set('immutrail_dead_letters_unsettled', 0, { code });
      const byLabel = new Map<string, number>();
      for (const [code, count] of depth.byCode) {
        byLabel.set(rejectionLabel(code), (byLabel.get(rejectionLabel(code)) ?? 0) + count);
      }
      for (const [code, count] of byLabel) metrics.set('immutrail_dead_letters_unsettled', count, { code });
      log.debug({ unsettled: sum(depth.byCode.values()) }, 'depth of dead letters read');
    },
    depthReadFailed: (err) => {
      metrics.add('immutrail_depth_read_failures_total', 1, {});
      log.debug({ err }, 'depth of dead letters could not be read');
    },
  } satisfies Partial<Telemetry>;
};

const showLag = (metrics: Metrics, consumergroup: string, row: PartitionLag, wallMs: number): void => {
  const where = { topic: row.topic, partition: String(row.partition) };
  const { lag, overtaken } = lagOf(row);
  metrics.set('kafka_consumergroup_lag', Number(lag), { consumergroup, ...where });
  metrics.set('kafka_consumergroup_current_offset', Number(positionOf(row)), { consumergroup, ...where });
  metrics.set('kafka_topic_partition_current_offset', Number(row.end), where);
  metrics.set('immutrail_lag_seconds', waitingMsOf(row, wallMs) / 1000, where);
  metrics.set('immutrail_retention_overtook_offsets', Number(overtaken), where);
};
