/** The value below which a share of the values lies; 0 for none. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
};

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export type Figures = {
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  readonly cpuUsPerEvent: number;
  readonly peakRssMb: number;
};

/** Time and CPU from this call on, of this process alone; resident memory at its peak. */
export const resources = (): ((events: number, seconds?: number) => Figures) => {
  const started = performance.now();
  const cpu = process.cpuUsage();
  return (events, given) => {
    const used = process.cpuUsage(cpu);
    const seconds = given ?? (performance.now() - started) / 1000;
    return {
      events,
      seconds,
      eventsPerSecond: Math.round(events / seconds),
      cpuUsPerEvent: Number(((used.user + used.system) / events).toFixed(1)),
      peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  };
};
