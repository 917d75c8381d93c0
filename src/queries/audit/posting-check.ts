import { PipelineError } from '../../errors.ts';
import type { EventFacts } from '../../schemas/decoded.ts';
import { spanWidthUs, type Coordinates } from '../../sinks/immudb/format/keys.ts';
import type { PostingKey } from '../../sinks/immudb/format/parse-key.ts';
import { textOf } from '../../sinks/immudb/format/pen.ts';
import { type PostingRow, putRowStart, putWideEnd } from '../../sinks/immudb/format/posting-rows.ts';
import { decodePosting, decodeTimePosting } from '../../sinks/immudb/format/posting-value.ts';
import { encodeSegment } from '../../sinks/immudb/format/segment.ts';
import type { FoundPosting } from './contents.ts';

export type PostedEvent = {
  readonly key: string;
  readonly eventId: string;
  readonly at: Coordinates;
  /** Null: the event is not one that the pipeline would take. */
  readonly facts: EventFacts | null;
};

/** Families as bits of what an event was found in. */
const bits = { time: 1, corr: 2, type: 4, actor: 8 } as const;
const names: readonly (keyof typeof bits)[] = ['time', 'corr', 'type', 'actor'];

/** An event with its rows. */
type Line = { readonly at: PostingRow; readonly timeUs: number; readonly wide: string; readonly short: string };

type Listed = { readonly line: Line; readonly event: PostedEvent; seen: number };

/**
 * Each event must be in exactly one posting of each family, its rows what the event says, in order, within the span;
 * and a posting must hold nothing else. The text of each row is made of the event and compared, which also holds the
 * value to the one form that format 1 writes. Returns how many postings are right.
 */
export const checkPostings = (
  { events, postings }: { readonly events: readonly PostedEvent[]; readonly postings: readonly FoundPosting[] },
  deviate: (fault: { readonly key: string; readonly what: string }) => void,
): number => {
  const listed = listEvents(events);
  let right = 0;
  for (const posting of postings) {
    const what = faultOf(posting, listed);
    if (what === null) right += 1;
    else deviate({ key: posting.key, what });
  }
  for (const { line, event, seen } of listed.values()) {
    const { actorType, actorId } = line.at.facts;
    const due = bits.time | bits.corr | bits.type | (actorType !== null && actorId !== null ? bits.actor : 0);
    const missing = names.filter((name) => (due & ~seen & bits[name]) !== 0);
    if (missing.length > 0) deviate({ key: event.key, what: `it is in no posting of ${missing.join(', ')}` });
  }
  return right;
};

const listEvents = (events: readonly PostedEvent[]): ReadonlyMap<string, Listed> => {
  const listed = new Map<string, Listed>();
  for (const event of events) {
    const { at, eventId, facts } = event;
    if (facts !== null) listed.set(eventId, { line: lineOf({ ...at, facts }), event, seen: 0 });
  }
  return listed;
};

const lineOf = (at: PostingRow): Line => {
  const { facts } = at;
  const start = textOf(putRowStart, facts);
  return { at, timeUs: facts.timeUs, wide: start + textOf(putWideEnd, facts), short: `${start}]` };
};

const head = '{"v":1,"rows":[';
const tail = ']}';
/** Where the event id begins in the text of any row: behind `["`, 16 digits, `","`. */
const idAt = 21;
const idLength = 36;

const faultOf = ({ key, place, value }: FoundPosting, listed: ReadonlyMap<string, Listed>): string | null => {
  const text = place.kind === 'time' ? value.toString() : value.toString('latin1');
  if (!text.startsWith(head)) return faultOfValue(key, place, value);
  const belongs = belongsTo(key, place);
  let at = head.length;
  let before: Line | null = null;
  for (;;) {
    const one = listed.get(text.slice(at + idAt, at + idAt + idLength));
    if (one === undefined)
      return faultOfValue(key, place, value, 'a row names an event that is not in this transaction');
    const fault = faultOfRow(text, at, place, one, before, belongs);
    if (fault !== null) return faultOfValue(key, place, value, fault);
    one.seen |= bits[place.kind];
    before = one.line;
    at += rowOf(place, one.line).length;
    if (text[at] !== ',') break;
    at += 1;
  }
  return text.length === at + tail.length && text.endsWith(tail) ? null : faultOfValue(key, place, value);
};

const rowOf = (place: PostingKey, line: Line): string => (place.kind === 'time' ? line.wide : line.short);

const faultOfRow = (
  text: string,
  at: number,
  place: PostingKey,
  { line, event, seen }: Listed,
  before: Line | null,
  belongs: (line: Line) => boolean,
): string | null => {
  const name = `the row of event ${event.eventId}`;
  const row = rowOf(place, line);
  // Compared as a slice: startsWith goes character by character.
  if (text.slice(at, at + row.length) !== row) return `${name} is not what the event says`;
  if (!belongs(line)) return `${name} is in a list that the event does not belong to`;
  if ((seen & bits[place.kind]) !== 0) return `${name} is in two postings of ${place.kind}`;
  if (before === null) {
    const { log, partition, offset } = place.first;
    const isFirst = line.at.log === log && line.at.partition === partition && line.at.offset === offset;
    return isFirst && line.timeUs === place.timeUs ? null : 'its key is not that of its first row';
  }
  if (line.timeUs - place.timeUs >= spanWidthUs[place.span]) return `${name} lies outside of the span`;
  const isAfter =
    line.timeUs > before.timeUs || (line.timeUs === before.timeUs && line.at.facts.eventId > before.at.facts.eventId);
  return isAfter ? null : `${name} is not in order`;
};

/** Whether an event is one of the list that the key names; a text that was just compared is not encoded again. */
const belongsTo = (key: string, place: PostingKey): ((line: Line) => boolean) => {
  if (place.kind === 'time') return () => true;
  const [, first = '', second = ''] = key.split('/');
  const isFirst = segmentIs(first);
  const isSecond = segmentIs(second);
  return ({ at: { facts } }) => {
    if (place.kind === 'corr') return isFirst(facts.correlationId);
    if (place.kind === 'type') return isFirst(facts.eventType);
    return facts.actorType !== null && facts.actorId !== null && isFirst(facts.actorType) && isSecond(facts.actorId);
  };
};

const segmentIs = (segment: string): ((text: string) => boolean) => {
  let known: string | null = null;
  return (text) => {
    if (text === known) return true;
    if (encodeSegment(text) !== segment) return false;
    known = text;
    return true;
  };
};

/** What the format's own reader says of such a value; else what was found. */
const faultOfValue = (
  key: string,
  place: PostingKey,
  value: Buffer,
  found = 'its value is not in the exact form',
): string => {
  try {
    if (place.kind === 'time') decodeTimePosting(key, value);
    else decodePosting(key, value);
    return found;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return error.message.replace(`ledger format, ${key}: `, '');
  }
};
