import { describe, expect, test } from '@jest/globals';
import { PipelineError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { telemetry, type Telemetry } from '../../../src/telemetry.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { metricTable, type MetricName } from '../../../src/telemetry/metric-table.ts';

type Line = Readonly<Record<string, unknown>>;

const setUp = () => {
  const lines: Line[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Line) };
  const metrics = createMetrics({ ofProcess: false });
  const clock = { ms: 1000 };
  const log = createLog({ level: 'trace', format: 'json', destination });
  const happen = telemetry({ log, metrics, version: '9.9.9', now: () => clock.ms, wallMs: () => 1_700_000_010_000 });
  return { happen, lines, metrics, clock };
};

const samplesOf = async (metrics: { text(): Promise<string> }): Promise<Map<string, number>> =>
  new Map(
    (await metrics.text())
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

const written = {
  tx: 7n,
  spans: [
    { partition: 0, first: 0n, next: 4n },
    { partition: 1, first: 9n, next: 13n },
  ],
  stored: 3,
  duplicates: 1,
  doubtful: new Map([['gateway.crd.created', { count: 2, doubt: 'event_data.namespace is missing' }]]),
  dead: new Map([
    ['JSON_INVALID', 2],
    ['made up by a caller', 1],
  ]),
  gaps: [{ from: 5n, to: 8n, reason: 'control' as const }],
  entries: 12,
  bytes: 3000,
  fill: 0.25,
  durationMs: 40,
};

// A row for every method, so that a method without one does not compile.
const calls: { [M in keyof Telemetry]: { args: Parameters<Telemetry[M]>; touches: readonly MetricName[] } } = {
  started: { args: [{ topic: 't' }], touches: [] },
  stopping: { args: ['SIGTERM'], touches: [] },
  stepEnded: { args: ['ledger', 12, new Error('slow')], touches: [] },
  halted: {
    args: [new PipelineError('LEDGER_PROOF_FAILED', 'x')],
    touches: ['immutrail_halts_total', 'immutrail_proof_failures_total'],
  },
  topicDoubtful: { args: ['t', 'one replica', 'use three'], touches: [] },
  failed: { args: [new TypeError('bug')], touches: ['immutrail_halts_total'] },
  readyChanged: { args: [new Map([['ledger', false]])], touches: ['immutrail_ready', 'immutrail_condition'] },
  retrying: {
    args: [{ doing: 'x', attempt: 1, delayMs: 5, err: new PipelineError('KAFKA_UNAVAILABLE', 'x') }],
    touches: ['immutrail_retries_total'],
  },
  recovered: { args: [{ doing: 'x', attempts: 2, elapsedMs: 5 }], touches: [] },
  assigned: { args: [1, [0, 1]], touches: ['immutrail_rebalances_total', 'immutrail_partitions_assigned'] },
  letGo: { args: [], touches: ['immutrail_partitions_assigned', 'immutrail_partitions_held'] },
  partitionOpened: { args: [1, 5n], touches: [] },
  partitionMoved: { args: [1, 5n], touches: ['immutrail_fences_total'] },
  partitionHeld: { args: [1, 'too many'], touches: ['immutrail_partitions_held'] },
  partitionReleased: { args: [1], touches: ['immutrail_partitions_held'] },
  recordsLost: { args: [1, { from: 5n, to: 9n, reason: 'below_log_start' }], touches: ['immutrail_lost_total'] },
  batchWritten: {
    args: [written],
    touches: [
      'immutrail_stored_total',
      'immutrail_duplicates_total',
      'immutrail_doubtful_payloads_total',
      'immutrail_dead_letters_total',
      'immutrail_gaps_total',
      'immutrail_batch_events',
      'immutrail_batch_entries',
      'immutrail_batch_bytes',
      'immutrail_batch_fill_ratio',
      'immutrail_ledger_write_seconds',
    ],
  },
  eventsFound: { args: [3], touches: ['immutrail_events_found_total'] },
  deadLettersSent: { args: [3], touches: ['immutrail_dead_letters_sent_total'] },
  committed: { args: [2], touches: ['immutrail_since_last_commit_seconds'] },
  commitRefused: { args: [2], touches: ['immutrail_commit_refusals_total'] },
  writeRefused: { args: ['exists'], touches: ['immutrail_write_refusals_total'] },
  writesInFlight: { args: [2], touches: ['immutrail_writes_in_flight'] },
  watch: {
    args: [() => ({ queue: { records: 5, bytes: 100 }, trustedTx: 7n })],
    touches: ['immutrail_queue_records', 'immutrail_queue_bytes', 'immutrail_trusted_transaction'],
  },
  rateLimited: { args: [250], touches: ['immutrail_rate_limit_wait_seconds_total'] },
  sessionReopened: { args: [], touches: ['immutrail_session_reopens_total'] },
  trustedStateNotKept: { args: [new Error('x')], touches: ['immutrail_trusted_state_failures_total'] },
  lagRead: {
    args: ['g', [{ topic: 't', partition: 0, start: 2n, end: 9n, committed: 1n, oldestWaitingMs: 1_700_000_000_000n }]],
    touches: [
      'kafka_consumergroup_lag',
      'kafka_consumergroup_lag_sum',
      'kafka_consumergroup_current_offset',
      'kafka_topic_partition_current_offset',
      'immutrail_lag_seconds',
      'immutrail_retention_overtook_offsets',
    ],
  },
  lagReadFailed: { args: [new Error('x')], touches: ['immutrail_lag_read_failures_total'] },
  checkpointsOwned: { args: [true], touches: ['immutrail_checkpoint_owner', 'immutrail_checkpoint_age_seconds'] },
  awaitsCheckpoint: { args: [7n, 1_700_000_000_000], touches: ['immutrail_checkpoint_lag_seconds'] },
  checkpointPublished: {
    args: [{ sequence: 1n, epoch: 1n, tx: 7n }],
    touches: [
      'immutrail_checkpoints_total',
      'immutrail_checkpoint_transaction',
      'immutrail_event_to_checkpoint_seconds',
    ],
  },
  checkpointFailed: {
    args: [new PipelineError('KAFKA_UNAVAILABLE', 'x')],
    touches: ['immutrail_checkpoint_failures_total'],
  },
  stateProven: {
    args: [7n],
    touches: ['immutrail_state_proofs_total', 'immutrail_since_last_state_proof_seconds'],
  },
  trustBegan: { args: ['first use', 7n], touches: [] },
  depthRead: {
    args: [{ byCode: new Map([['JSON_INVALID', 2]]), oldestAt: 7n }],
    touches: ['immutrail_dead_letters_unsettled', 'immutrail_dead_letters_oldest_seconds'],
  },
  depthReadFailed: { args: [new Error('x')], touches: ['immutrail_depth_read_failures_total'] },
};

describe('every happening', () => {
  test.each(Object.entries(calls))('%s is seen in the log or in its metrics', async (method, { args, touches }) => {
    const { happen, lines, metrics, clock } = setUp();
    if (method === 'letGo') happen.partitionHeld(1, null);
    if (method === 'partitionReleased') happen.partitionHeld(1, null);
    if (['awaitsCheckpoint', 'checkpointPublished'].includes(method)) happen.checkpointsOwned(true);
    if (method === 'checkpointPublished') happen.awaitsCheckpoint(7n, 1_700_000_000_000);
    const before = await samplesOf(metrics);
    lines.length = 0;
    (happen[method as keyof Telemetry] as (...given: unknown[]) => void)(...args);
    clock.ms += 1000;
    const after = await samplesOf(metrics);
    for (const name of touches) {
      const own = [...after].filter(
        ([sample]) => sample.split(/[{ ]|_count|_sum$/)[0] === name || sample.startsWith(name),
      );
      const unchanged = own.every(([sample, value]) => before.has(sample) && before.get(sample) === value);
      // A gauge may rightly stay 0; that is only fine where the method has just set it to 0.
      const isZero = own.length > 0 && own.every(([, value]) => value === 0);
      expect([name, unchanged && !isZero]).toEqual([name, false]);
    }
    expect(lines.length + touches.length).toBeGreaterThan(0);
    for (const line of lines) expect(line['msg']).toEqual(expect.stringMatching(/^[a-z]/));
  });

  test('together they touch every metric there is', () => {
    const touched = new Set([...Object.values(calls).flatMap(({ touches }) => touches), 'immutrail_build_info']);
    expect([...touched].sort()).toEqual(Object.keys(metricTable).sort());
  });
});

describe('figures', () => {
  test('a written batch is counted by what became of each record; unknown codes share one label', async () => {
    const { happen, metrics } = setUp();
    happen.batchWritten(written);
    const samples = await samplesOf(metrics);
    expect(samples.get('immutrail_stored_total')).toBe(3);
    expect(samples.get('immutrail_dead_letters_total{code="JSON_INVALID"}')).toBe(2);
    expect(samples.get('immutrail_dead_letters_total{code="other"}')).toBe(1);
    expect(samples.get('immutrail_gaps_total{reason="control"}')).toBe(3);
    expect(samples.get('immutrail_batch_events_sum')).toBe(7);
    expect(samples.get('immutrail_ledger_write_seconds_sum')).toBe(0.04);
  });

  test('lag counts from the log start where retention overtook the group, and is gone with its partition', async () => {
    const { happen, metrics } = setUp();
    happen.lagRead('g', [
      { topic: 't', partition: 0, start: 10n, end: 30n, committed: 4n, oldestWaitingMs: 1_700_000_000_000n },
      { topic: 't', partition: 1, start: 0n, end: 5n, committed: null, oldestWaitingMs: null },
    ]);
    const first = await samplesOf(metrics);
    expect(first.get('kafka_consumergroup_lag{consumergroup="g",topic="t",partition="0"}')).toBe(20);
    expect(first.get('immutrail_retention_overtook_offsets{topic="t",partition="0"}')).toBe(6);
    expect(first.get('kafka_consumergroup_lag_sum{consumergroup="g",topic="t"}')).toBe(25);
    expect(first.get('immutrail_lag_seconds{topic="t",partition="0"}')).toBe(10);
    expect(first.get('immutrail_lag_seconds{topic="t",partition="1"}')).toBe(0);
    happen.lagRead('g', [{ topic: 't', partition: 0, start: 10n, end: 30n, committed: 30n, oldestWaitingMs: null }]);
    const second = await samplesOf(metrics);
    expect(second.get('kafka_consumergroup_lag_sum{consumergroup="g",topic="t"}')).toBe(0);
    expect([...second.keys()].filter((sample) => sample.includes('partition="1"'))).toEqual([]);
  });

  test('time since the last commit grows by itself', async () => {
    const { happen, metrics, clock } = setUp();
    clock.ms = 5000;
    happen.committed(1);
    clock.ms = 7500;
    expect((await samplesOf(metrics)).get('immutrail_since_last_commit_seconds')).toBe(2.5);
  });
});

describe('log lines', () => {
  test('normal operation is quiet: nothing above debug for a batch without trouble', () => {
    const { happen, lines } = setUp();
    happen.batchWritten({ ...written, dead: new Map(), doubtful: new Map() });
    happen.committed(1);
    happen.lagRead('g', []);
    expect(lines.map(({ level }) => level).filter((level) => level !== 'debug')).toEqual([]);
  });

  test('readiness is told when it changes, not each time', () => {
    const { happen, lines } = setUp();
    for (const holds of [false, false, true, true, false]) happen.readyChanged(new Map([['ledger-ready', holds]]));
    expect(lines.map(({ msg }) => msg)).toEqual(['not ready', 'ready', 'not ready']);
    expect(lines[0]?.['missing']).toEqual(['ledger-ready']);
  });

  test('a long outage warns ever more seldom', () => {
    const { happen, lines } = setUp();
    for (let attempt = 1; attempt <= 16; attempt++)
      happen.retrying({ doing: 'x', attempt, delayMs: 1, err: new Error('x') });
    expect(lines.flatMap(({ level, attempt }) => (level === 'warn' ? [attempt] : []))).toEqual([1, 2, 4, 8, 16]);
  });

  test('an error shows what it is and what caused it, and nothing that a library hung on it', () => {
    const { happen, lines } = setUp();
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', password: 'hunter2' });
    happen.halted(new PipelineError('UNEXPECTED', 'writing', { cause }));
    expect(lines[0]).toMatchObject({
      level: 'fatal',
      code: 'UNEXPECTED',
      err: { code: 'UNEXPECTED', message: 'writing', cause: { code: 'ECONNREFUSED', message: 'refused' } },
    });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  test('a chain of causes without end is cut', () => {
    const { happen, lines } = setUp();
    const error = new Error('round');
    error.cause = error;
    happen.failed(error);
    expect(JSON.stringify(lines).split('"round"').length).toBeLessThan(10);
  });
});

describe('checkpoints', () => {
  test('the lag is from the oldest record that none covers, and each transaction is measured once', async () => {
    const { happen, metrics, clock } = setUp();
    happen.checkpointsOwned(true);
    happen.awaitsCheckpoint(5n, 1_700_000_000_000);
    happen.awaitsCheckpoint(6n, 1_700_000_004_000);
    expect((await samplesOf(metrics)).get('immutrail_checkpoint_lag_seconds')).toBe(10);
    happen.checkpointPublished({ sequence: 1n, epoch: 1n, tx: 5n });
    clock.ms += 3000;
    const samples = await samplesOf(metrics);
    expect(samples.get('immutrail_checkpoint_lag_seconds')).toBe(6);
    expect(samples.get('immutrail_checkpoint_age_seconds')).toBe(3);
    expect(samples.get('immutrail_event_to_checkpoint_seconds_sum')).toBe(10);
    happen.checkpointPublished({ sequence: 2n, epoch: 1n, tx: 9n });
    expect((await samplesOf(metrics)).get('immutrail_checkpoint_lag_seconds')).toBe(0);
    expect((await samplesOf(metrics)).get('immutrail_event_to_checkpoint_seconds_count')).toBe(2);
  });

  test('a process that does not publish says nothing of their age', async () => {
    const { happen, metrics } = setUp();
    happen.checkpointsOwned(true);
    happen.awaitsCheckpoint(5n, 1_700_000_000_000);
    happen.checkpointsOwned(false);
    happen.awaitsCheckpoint(6n, 1_700_000_000_000);
    const samples = await samplesOf(metrics);
    expect(samples.get('immutrail_checkpoint_owner')).toBe(0);
    expect(samples.get('immutrail_checkpoint_age_seconds')).toBe(0);
    expect(samples.get('immutrail_checkpoint_lag_seconds')).toBe(0);
  });
});
