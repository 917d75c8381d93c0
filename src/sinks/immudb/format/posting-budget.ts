import type { EventFacts } from '../../../schemas/decoded.ts';
import { maxKeyBytes, spanWidthUs } from './keys.ts';
import { shortRowBytes, wideRowBytesAtMost } from './posting-rows.ts';
import { spareEntries } from './posting-windows.ts';

/** How many postings, and how many bytes of them, planPostings can make of the events added so far, at most. */
export type PostingBudget = {
  /** Adds an event; returns by how many entries the bound grew. */
  add(facts: EventFacts): number;
  entries(): number;
  /** Keys and values together. */
  bytes(): number;
};

/**
 * For cutting a transaction before it is composed. The fewest windows of an hour are never more than the distinct clock
 * hours, so their number per list plus the spare entries is a bound; so is one posting per row. One budget holds what
 * one transaction's events name, and lives as long.
 */
export const postingBudget = (): PostingBudget => {
  const lists = { hours: hoursOfList(), correlations: new Map(), types: new Map(), actors: new Map() } as Lists;
  let events = 0;
  let rows = 0;
  let windows = 0;
  let rowBytes = 0;
  let earliest = Infinity;
  let latest = -Infinity;
  const spare = () => (latest - earliest < spanWidthUs[0] ? 0 : spareEntries(events));
  const entries = () => (events === 0 ? 0 : Math.min(rows, windows + spare()));
  const add = (facts: EventFacts): number => {
    const before = entries();
    const isActor = facts.actorType !== null && facts.actorId !== null;
    events += 1;
    rows += isActor ? 4 : 3;
    windows += newWindows(lists, facts);
    rowBytes += wideRowBytesAtMost(facts) + (isActor ? 3 : 2) * shortRowBytes;
    earliest = Math.min(earliest, facts.timeUs);
    latest = Math.max(latest, facts.timeUs);
    return entries() - before;
  };
  return { add, entries, bytes: () => rowBytes + entries() * (maxKeyBytes + wrapperBytes) };
};

const wrapperBytes = '{"v":1,"rows":[]}'.length;

/** The clock hours of one list: the newest one seen, and all of them once there are two. */
type Hours = { last: number; all: Set<number> | null };

type Lists = {
  readonly hours: Hours;
  readonly correlations: Map<string, Hours>;
  readonly types: Map<string, Hours>;
  readonly actors: Map<string, Map<string, Hours>>;
};

const hoursOfList = (): Hours => ({ last: -1, all: null });

/** How many pairs of a list and a clock hour this event is the first of. */
const newWindows = (lists: Lists, facts: EventFacts): number => {
  const hour = Math.floor(facts.timeUs / spanWidthUs[2]);
  const { actorType, actorId } = facts;
  const base =
    enter(lists.hours, hour) +
    enter(named(lists.correlations, facts.correlationId), hour) +
    enter(named(lists.types, facts.eventType), hour);
  return actorType === null || actorId === null
    ? base
    : base + enter(named(idsOf(lists.actors, actorType), actorId), hour);
};

/** 1 if the hour is new to the list, else 0. */
const enter = (hours: Hours, hour: number): 0 | 1 => {
  if (hours.last === hour) return 0;
  if (hours.last === -1) {
    hours.last = hour;
    return 1;
  }
  hours.all ??= new Set([hours.last]);
  hours.last = hour;
  if (hours.all.has(hour)) return 0;
  hours.all.add(hour);
  return 1;
};

const named = (lists: Map<string, Hours>, name: string): Hours => {
  const known = lists.get(name);
  if (known !== undefined) return known;
  const made = hoursOfList();
  lists.set(name, made);
  return made;
};

const idsOf = (actors: Map<string, Map<string, Hours>>, type: string): Map<string, Hours> => {
  const known = actors.get(type);
  if (known !== undefined) return known;
  const made = new Map<string, Hours>();
  actors.set(type, made);
  return made;
};
