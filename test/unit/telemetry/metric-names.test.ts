import { describe, expect, test } from '@jest/globals';
import { metricTable, type MetricEntry } from '../../../src/telemetry/metric-table.ts';

// The rules of `promtool check metrics`, and those of our own: unit last, and labels whose values are bounded.
const complaintsOf = (name: string, { kind, help, labels }: MetricEntry): string[] => {
  const rules: [boolean, string][] = [
    [!/^[a-z][a-z0-9_]*$/.test(name), 'lower case and underscores only'],
    [help.trim() === '' || !help.endsWith('.'), 'help text missing or not a sentence'],
    [kind === 'counter' && !name.endsWith('_total'), 'a counter ends in _total'],
    [kind !== 'counter' && name.endsWith('_total'), 'only a counter ends in _total'],
    [/_(count|bucket|info)$/.test(name) && name !== 'immutrail_build_info', 'a suffix that means something else'],
    // The one name that breaks the rule is older than the rule and known to dashboards.
    [name.endsWith('_sum') && name !== 'kafka_consumergroup_lag_sum', 'only histograms have _sum'],
    [/(milliseconds|_ms|minutes|kilobytes|_kb|percent)(_|$)/.test(name), 'base units only'],
    [/_(seconds|bytes|ratio)_(?!total$)/.test(name), 'the unit comes last'],
    [/(counter|gauge|histogram)/.test(name), 'the type is no part of the name'],
    [labels.some((label) => /id|offset|message|key|user/.test(label)), 'a label without bounds'],
  ];
  return rules.flatMap(([isBroken, rule]) => (isBroken ? [`${name}: ${rule}`] : []));
};

describe('names of metrics', () => {
  test('all keep the rules', () => {
    expect(Object.entries<MetricEntry>(metricTable).flatMap(([name, entry]) => complaintsOf(name, entry))).toEqual([]);
  });

  test.each<[string, MetricEntry]>([
    ['immutrail_writes', { kind: 'counter', help: 'X.', labels: [] }],
    ['immutrail_queue_total', { kind: 'gauge', help: 'X.', labels: [] }],
    ['immutrail_wait_ms', { kind: 'gauge', help: 'X.', labels: [] }],
    ['immutrail_seconds_waited', { kind: 'gauge', help: 'X.', labels: [] }],
    ['immutrail_x', { kind: 'gauge', help: '', labels: [] }],
    ['immutrail_x', { kind: 'gauge', help: 'X.', labels: ['event_id'] }],
    ['immutrail_x_sum', { kind: 'gauge', help: 'X.', labels: [] }],
  ])('%s %j would be refused', (name, entry) => {
    expect(complaintsOf(name, entry)).toHaveLength(1);
  });

  test('buckets rise', () => {
    for (const { buckets = [] } of Object.values<MetricEntry>(metricTable)) {
      expect([...buckets].sort((a, b) => a - b)).toEqual(buckets);
      expect(new Set(buckets).size).toBe(buckets.length);
    }
  });
});
