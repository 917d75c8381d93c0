import type { NoteSource } from './newest.ts';

/** What of a topic of notes is needed to read it: offsets of one partition. */
export type NoteLog = {
  bounds(): Promise<{ readonly start: bigint; readonly end: bigint }>;
  /** Some of what lies at `from` and after it, in order; empty at the end. */
  read(from: bigint): Promise<readonly { readonly offset: bigint; readonly value: Uint8Array | null }[]>;
};

/** So many offsets are held in memory at a time. */
const windowSize = 64n;

/** Reads a topic from its end to its start. */
export const newestOfLog = (log: NoteLog): NoteSource => ({
  newestFirst: async function* () {
    const { start, end } = await log.bounds();
    for (let to = end; to > start; to -= windowSize) {
      const from = to - windowSize > start ? to - windowSize : start;
      const values = await readWindow(log, from, to);
      yield* values.toReversed();
    }
  },
});

const readWindow = async (log: NoteLog, from: bigint, to: bigint): Promise<Uint8Array[]> => {
  const values: Uint8Array[] = [];
  for (let next = from; next < to;) {
    const records = await log.read(next);
    for (const { offset, value } of records) if (offset < to && value !== null) values.push(value);
    const last = records.at(-1);
    if (last === undefined) break;
    next = last.offset + 1n;
  }
  return values;
};
