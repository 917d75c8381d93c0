import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metricTable, type MetricEntry, type MetricName } from './metric-table.ts';

type OfKind<K extends MetricEntry['kind']> = {
  [N in MetricName]: (typeof metricTable)[N]['kind'] extends K ? N : never;
}[MetricName];
type Labels<N extends MetricName> = Readonly<Record<(typeof metricTable)[N]['labels'][number], string>>;

/** The metrics of one process. Labels must come from bounded sets; see `telemetry`. */
export type Metrics = {
  add<N extends OfKind<'counter'>>(name: N, amount: number, labels: Labels<N>): void;
  set<N extends OfKind<'gauge'>>(name: N, value: number, labels: Labels<N>): void;
  /** Forgets the values of all labels, so that what is gone does not stay on a dashboard. */
  clear(name: OfKind<'gauge'>): void;
  observe(name: OfKind<'histogram'>, value: number): void;
  /** Runs before each reading, for values that only change with time. */
  beforeReading(update: () => void): void;
  /** All metrics in the text format of Prometheus. */
  text(): Promise<string>;
  readonly contentType: string;
};

type Made = {
  readonly counters: Map<string, Counter>;
  readonly gauges: Map<string, Gauge>;
  readonly histograms: Map<string, Histogram>;
};

export const createMetrics = (options: { readonly ofProcess: boolean }): Metrics => {
  const registry = new Registry();
  const made = makeAll(registry);
  const updates: (() => void)[] = [];
  if (options.ofProcess) collectDefaultMetrics({ register: registry });
  return {
    add: (name, amount, labels) => made.counters.get(name)?.inc(labels, amount),
    set: (name, value, labels) => made.gauges.get(name)?.set(labels, value),
    clear: (name) => made.gauges.get(name)?.reset(),
    observe: (name, value) => made.histograms.get(name)?.observe(value),
    beforeReading: (update) => void updates.push(update),
    text: () => {
      for (const update of updates) update();
      return registry.metrics();
    },
    contentType: registry.contentType,
  };
};

const makeAll = (registry: Registry): Made => {
  const made: Made = { counters: new Map(), gauges: new Map(), histograms: new Map() };
  for (const [name, entry] of Object.entries<MetricEntry>(metricTable)) {
    const shape = { name, help: entry.help, labelNames: [...entry.labels], registers: [registry] };
    if (entry.kind === 'counter') made.counters.set(name, new Counter(shape));
    else if (entry.kind === 'gauge') made.gauges.set(name, new Gauge(shape));
    else made.histograms.set(name, new Histogram({ ...shape, buckets: [...(entry.buckets ?? [])] }));
  }
  return made;
};
