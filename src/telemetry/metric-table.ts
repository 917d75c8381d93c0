/** Every metric of ours: docs/metrics.md is generated from this table, and src/telemetry.ts can emit nothing else. */
export type MetricEntry = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
};

const counter = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ kind: 'counter', help, labels }) as const;
const gauge = <const L extends readonly string[]>(help: string, labels: L) =>
  ({ kind: 'gauge', help, labels }) as const;
const histogram = (help: string, buckets: readonly number[]) =>
  ({ kind: 'histogram', help, labels: [], buckets }) as const;

const perPartition = ['consumergroup', 'topic', 'partition'] as const;

export const metricTable = {
  // --- lag, under the names that dashboards know
  kafka_consumergroup_lag: gauge('Offsets between what the group committed and the end of the log.', perPartition),
  kafka_consumergroup_lag_sum: gauge('Lag of the group over all partitions, in offsets.', ['consumergroup', 'topic']),
  kafka_consumergroup_current_offset: gauge('Offset that the group committed.', perPartition),
  kafka_topic_partition_current_offset: gauge('End of the log (last stable offset).', ['topic', 'partition']),
  immutrail_lag_seconds: gauge(
    'Age of the oldest record that is not committed, by its timestamp; 0 when nothing waits.',
    ['topic', 'partition'],
  ),
  immutrail_retention_overtook_offsets: gauge(
    'Offsets that Kafka deleted before the group committed them. Above 0: events may be lost.',
    ['topic', 'partition'],
  ),
  immutrail_lag_read_failures_total: counter('Readings of the lag that failed; the gauges keep their last values.', []),
  immutrail_since_last_commit_seconds: gauge(
    'Time since offsets were last committed to Kafka (or since the start).',
    [],
  ),

  // --- what became of records
  immutrail_stored_total: counter('Events stored in the ledger.', []),
  immutrail_duplicates_total: counter('Records whose event was stored already; the ledger names each.', []),
  immutrail_doubtful_payloads_total: counter(
    'Events stored although their payload is not what the catalogue says (payloads.check is warn).',
    [],
  ),
  immutrail_dead_letters_total: counter('Records that the ledger states as dead letters.', ['code']),
  immutrail_dead_letters_sent_total: counter(
    'Records that the dead-letter topic acknowledged, copies after a crash included.',
    [],
  ),
  immutrail_dead_letters_unsettled: gauge(
    'Dead letters that are open or being redriven, as the ledger states them. 0 only when all are settled.',
    ['code'],
  ),
  immutrail_dead_letters_oldest_seconds: gauge(
    'How long the longest untouched of them waits: since it was stated or last acted on; 0 when there is none.',
    [],
  ),
  immutrail_depth_read_failures_total: counter(
    'Readings of the unsettled dead letters that failed; the gauges keep their last values.',
    [],
  ),
  immutrail_gaps_total: counter('Offsets without a record, by what Kafka showed as the reason.', ['reason']),
  immutrail_lost_total: counter('Offsets that Kafka deleted before they were stored. Above 0: act.', []),
  immutrail_events_found_total: counter(
    'Events found in the ledger when a transaction with them was to be written.',
    [],
  ),

  // --- the ledger
  immutrail_ledger_write_seconds: histogram(
    'Time of a transaction from sending to its checked header.',
    [0.002, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120],
  ),
  immutrail_batch_events: histogram(
    'Records covered by one transaction.',
    [1, 2, 5, 10, 25, 50, 100, 250, 500, 750, 1000],
  ),
  immutrail_batch_entries: histogram(
    'Entries of one transaction; immudb takes 1,024.',
    [2, 5, 10, 25, 50, 100, 250, 500, 750, 1024],
  ),
  immutrail_batch_bytes: histogram(
    'Bytes of one transaction; immudb takes 32 MiB.',
    [1024, 4096, 16_384, 65_536, 262_144, 524_288, 1_048_576, 2_097_152, 4_194_304, 16_777_216, 33_554_432],
  ),
  immutrail_batch_fill_ratio: histogram(
    'Share of the batch limit that a transaction used.',
    [0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1],
  ),
  immutrail_write_refusals_total: counter('Transactions that immudb refused, by what explained it.', ['why']),
  immutrail_fences_total: counter('Partitions that another writer had moved when we wrote.', []),
  immutrail_session_reopens_total: counter('Sessions with immudb that had to be opened anew.', []),
  immutrail_proof_failures_total: counter('Proofs that did not hold. Above 0: act.', []),
  immutrail_state_proofs_total: counter(
    'Times that the server proved its present state to extend the trusted one.',
    [],
  ),
  immutrail_since_last_state_proof_seconds: gauge('Time since the last such proof (or since the start).', []),
  immutrail_trusted_state_failures_total: counter('Times that the trusted state could not be written to its file.', []),
  immutrail_trusted_transaction: gauge('Newest transaction that is proven and kept as trusted.', []),
  immutrail_rate_limit_wait_seconds_total: counter('Time that writes waited for the rate limits of the ledger.', []),

  // --- checkpoints
  immutrail_checkpoint_owner: gauge('1 when this process is the one that publishes checkpoints.', []),
  immutrail_checkpoints_total: counter('Checkpoints published by this process.', []),
  immutrail_checkpoint_failures_total: counter('Attempts to publish that failed; they are tried again.', []),
  immutrail_checkpoint_transaction: gauge('Transaction of the last checkpoint that this process published.', []),
  immutrail_checkpoint_age_seconds: gauge(
    'Time since this process published a checkpoint, or took publishing up. 0 where another one publishes.',
    [],
  ),
  immutrail_checkpoint_lag_seconds: gauge(
    'Age of the oldest record that this process stored and no checkpoint covers; 0 when none waits, or another one publishes.',
    [],
  ),
  immutrail_event_to_checkpoint_seconds: histogram(
    'Time from the oldest record of a transaction, by its timestamp, to the checkpoint that covers it.',
    [0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300, 900, 3600],
  ),

  // --- the pipeline
  immutrail_ready: gauge('1 when every condition of readiness holds.', []),
  immutrail_condition: gauge('1 when this condition of readiness holds.', ['condition']),
  immutrail_partitions_assigned: gauge('Partitions that this process works on.', []),
  immutrail_partitions_held: gauge('Partitions that wait until a person accepts a loss, or releases the breaker.', []),
  immutrail_writes_in_flight: gauge('Transactions sent and not yet answered.', []),
  immutrail_queue_records: gauge('Records fetched and not yet settled.', []),
  immutrail_queue_bytes: gauge('Bytes of records fetched and not yet settled.', []),
  immutrail_rebalances_total: counter('Assignments taken up.', []),
  immutrail_commit_refusals_total: counter('Commits that Kafka refused; the ledger holds the events all the same.', []),
  immutrail_retries_total: counter('Attempts repeated, by the code of their error.', ['cause']),
  immutrail_halts_total: counter('Errors that ended the process, by code.', ['code']),
  immutrail_build_info: gauge('Always 1; the labels say what runs.', ['version', 'node']),
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof metricTable;
