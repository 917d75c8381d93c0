export type Counters = { buffered: number; written: number; dropped: number; batchesFailed: number };

/** Under the names that dashboards of the services know. */
export const countersText = (
  service: string,
  counters: Counters,
  buffer: { readonly size: number; readonly bytes: number; readonly capacity: number },
): string => {
  const label = `{service=${JSON.stringify(service)}}`;
  const metrics: readonly (readonly [name: string, kind: string, help: string, value: number])[] = [
    ['audit_events_buffered_total', 'counter', 'Events taken for sending.', counters.buffered],
    ['audit_events_written_total', 'counter', 'Events that Kafka acknowledged.', counters.written],
    ['audit_events_dropped_total', 'counter', 'Events given up; each told to its caller.', counters.dropped],
    ['audit_batches_failed_total', 'counter', 'Sends that failed, retried ones included.', counters.batchesFailed],
    ['audit_buffer_size', 'gauge', 'Events taken and not settled.', buffer.size],
    ['audit_buffer_bytes', 'gauge', 'Their bytes.', buffer.bytes],
    ['audit_buffer_capacity', 'gauge', 'Most events that may wait.', buffer.capacity],
  ];
  return metrics
    .map(([name, kind, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name}${label} ${value}\n`)
    .join('');
};
