import type { LastRecord } from '../../schemas/record.ts';
import type { FoundDead, FoundEvent, FoundMark, TxContents } from './contents.ts';
import type { Deviations } from './deviations.ts';
import { statedSha256, statementsOf, type Statement } from './statements.ts';

/** What became of the offsets of one partition of one log, added up over all transactions. */
export type PartitionAccount = {
  readonly log: number;
  readonly partition: number;
  first: bigint;
  next: bigint;
  stored: bigint;
  duplicates: bigint;
  dead: bigint;
  gaps: bigint;
};

/** A partition's account and its newest mark. `isTorn`: a transaction that may have advanced it could not be read. */
export type Lane = PartitionAccount & { tx: bigint; last: LastRecord | null; isTorn: boolean };

/** One partition's part of a transaction, with what was said of each of its offsets. */
export type Span = FoundMark & { readonly statements: readonly Statement[] };

export type Coverage = {
  /** Adds a transaction; resolves what its marks say, offset by offset. */
  add(contents: TxContents): readonly Span[];
  /** A transaction whose values cannot be read: every partition may have moved in it. */
  tear(): void;
  lanes(): readonly Lane[];
  deadByCode(): ReadonlyMap<string, number>;
  /** Offsets that are accounted for exactly once, of all that the marks cover. */
  offsets(): { readonly held: bigint; readonly of: bigint };
};

const laneOf = (log: number, partition: number): string => `${log}/${partition}`;

/**
 * Every offset must be an event, a duplicate, a dead letter or a gap of the transaction that covers it, exactly once; a
 * partition's marks must follow each other from offset to offset; and nothing may stand in a transaction that no mark
 * of it covers.
 */
export const coverage = (deviations: Deviations, before: readonly Lane[] = []): Coverage => {
  const lanes = new Map(before.map((lane) => [laneOf(lane.log, lane.partition), { ...lane }]));
  const deadByCode = new Map<string, number>();
  const tally = { held: 0n, of: 0n };

  const settle = (
    tx: bigint,
    found: FoundMark,
    events: readonly FoundEvent[],
    dead: ReadonlyMap<string, FoundDead>,
  ): Span => {
    const { mark, key } = found;
    const deviate = (what: string) => deviations.add('coverage', { tx, key }, what);
    const lane = laneFor(lanes, found);
    checkSequence(lane, found, deviate);
    const statements = statementsOf(mark, events);
    if (mark.stored !== events.length) deviate(`it states ${mark.stored} stored, there are ${events.length}`);
    const width = mark.next - mark.first;
    const wrong = checkOffsets(found, statements, deviate);
    tally.of += width;
    tally.held += wrong > width ? 0n : width - wrong;
    checkLast(lane, found, statements, deviate);
    for (const row of mark.dead) {
      deadByCode.set(row.code, (deadByCode.get(row.code) ?? 0) + 1);
      checkDeadRow(row, dead.get(`${laneOf(found.log, found.partition)}/${row.offset.toString()}`), deviate);
    }
    advance(lane, tx, found, events.length);
    return { ...found, statements };
  };

  return {
    add: (contents) => {
      const events = Map.groupBy(contents.events, ({ source }) => laneOf(source.log, source.partition));
      const dead = new Map(
        contents.dead.map((one) => [`${laneOf(one.at.log, one.at.partition)}/${one.at.offset.toString()}`, one]),
      );
      const spans = contents.marks.map((found) => {
        const lane = laneOf(found.log, found.partition);
        const own = events.get(lane) ?? [];
        events.delete(lane);
        return settle(contents.id, found, own, dead);
      });
      for (const [lane, [event]] of events) {
        const at = { tx: contents.id, ...(event && { key: event.key }) };
        deviations.add('coverage', at, `events of ${lane} without a mark`);
      }
      return spans;
    },
    tear: () => {
      for (const lane of lanes.values()) lane.isTorn = true;
    },
    lanes: () => [...lanes.values()].sort((a, b) => a.log - b.log || a.partition - b.partition),
    deadByCode: () => deadByCode,
    offsets: () => tally,
  };
};

type Deviate = (what: string) => void;

const laneFor = (lanes: Map<string, Lane>, { log, partition, mark }: FoundMark): Lane => {
  const name = laneOf(log, partition);
  const known = lanes.get(name);
  if (known !== undefined) return known;
  const made: Lane = {
    ...{ log, partition, first: mark.first, next: mark.first, tx: 0n, last: null, isTorn: false },
    ...{ stored: 0n, duplicates: 0n, dead: 0n, gaps: 0n },
  };
  lanes.set(name, made);
  return made;
};

/** After a transaction that could not be read, a mark that names it is taken at its word. */
const checkSequence = (lane: Lane, { mark }: FoundMark, deviate: Deviate): void => {
  if (lane.isTorn && mark.prev !== null && mark.prev.tx > lane.tx) return;
  if (mark.first !== lane.next) deviate(`it begins at ${mark.first.toString()}, not ${lane.next.toString()}`);
  if ((mark.prev?.tx ?? 0n) !== lane.tx)
    deviate(`it names another mark before it: ${(mark.prev?.tx ?? 0n).toString()}, not ${lane.tx.toString()}`);
};

/** How many offsets are not said to be anything, or are said to be two things. */
const checkOffsets = ({ mark }: FoundMark, statements: readonly Statement[], deviate: Deviate): bigint => {
  let next = mark.first;
  let wrong = 0n;
  const miss = (offset: bigint, count: bigint) => {
    wrong += count < 0n ? -count : count;
    deviate(`offset ${offset.toString()} is not accounted for exactly once`);
  };
  for (const { from, to } of statements) {
    if (from !== next) miss(from < next ? from : next, from - next);
    next = to;
  }
  if (next !== mark.next) {
    wrong += next < mark.next ? mark.next - next : next - mark.next;
    deviate(`it ends at ${mark.next.toString()}, its records at ${next.toString()}`);
  }
  return wrong;
};

/** `last` is the last record of the mark, or what the mark before it said. */
const checkLast = (lane: Lane, { mark }: FoundMark, statements: readonly Statement[], deviate: Deviate): void => {
  const newest = statements.findLast(({ kind }) => kind !== 'gap');
  if (newest === undefined) {
    if (!lane.isTorn && !isSame(lane.last, mark.last)) deviate('last is not that of the mark before');
    return;
  }
  const isIt = mark.last?.offset === newest.from && mark.last.sha256 === statedSha256(newest);
  const isThen = newest.kind !== 'stored' || mark.last?.timestamp === newest.event.source.timestamp;
  if (!isIt || !isThen) deviate('last is not its last record');
};

const isSame = (a: LastRecord | null, b: LastRecord | null): boolean =>
  a?.offset === b?.offset && a?.sha256 === b?.sha256 && a?.timestamp === b?.timestamp;

const checkDeadRow = (row: FoundMark['mark']['dead'][number], found: FoundDead | undefined, deviate: Deviate): void => {
  const name = `dead offset ${row.offset.toString()}`;
  if (found === undefined) {
    deviate(`${name} has no dead letter`);
    return;
  }
  const { code, sha256, dlq, state } = found.dead;
  const isSamePlace = dlq.log === row.dlq.log && dlq.partition === row.dlq.partition && dlq.offset === row.dlq.offset;
  if (code !== row.code || sha256 !== row.sha256 || !isSamePlace)
    deviate(`${name} has a dead letter that says otherwise`);
  else if (state !== 'open') deviate(`${name} begins as ${state}`);
};

const advance = (lane: Lane, tx: bigint, { mark }: FoundMark, stored: number): void => {
  lane.next = mark.next;
  lane.tx = tx;
  lane.last = mark.last;
  lane.isTorn = false;
  lane.stored += BigInt(stored);
  lane.duplicates += BigInt(mark.duplicates.length);
  lane.dead += BigInt(mark.dead.length);
  lane.gaps += mark.gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0n);
};
