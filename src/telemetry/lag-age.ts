/** One reading of a partition: where its log ended, at which time. */
type Reading = { readonly atMs: number; readonly end: bigint };

const maxReadings = 256;

/**
 * How long the oldest uncommitted offset of a partition has been there, from readings of the log's end: it was appended
 * between the last reading that ended at or below it and the next, so its age is right to one interval between readings.
 * What was there before the first reading counts from that reading on: a lower bound.
 */
export const lagAge = () => {
  let readings: Reading[] = [];
  return {
    /** Age in milliseconds; 0 when everything is committed. */
    read: (atMs: number, end: bigint, committed: bigint): number => {
      // A log that was replaced starts again below: older readings say nothing about it.
      readings = readings.filter((reading) => reading.end > committed && reading.end <= end);
      if (end <= committed) return 0;
      if (readings.at(-1)?.end !== end) readings.push({ atMs, end });
      if (readings.length > maxReadings) readings = thinned(readings);
      return Math.max(0, atMs - (readings[0]?.atMs ?? atMs));
    },
    size: (): number => readings.length,
  };
};

// Every second one goes, the oldest stays: a long backlog needs its age, not its detail.
const thinned = (readings: readonly Reading[]): Reading[] => readings.filter((_, at) => at % 2 === 0);
