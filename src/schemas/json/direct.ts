import { isUtf8 } from 'node:buffer';
import type { EventFacts } from '../decoded.ts';
import { canonicalEventId } from '../event-id.ts';
import { type FieldRule, judgedFields, requiredFields } from '../event-fields.ts';
import { parseEventTime } from '../event-time.ts';
import {
  type Cursor,
  firstMember,
  isAtEnd,
  letGo,
  newCursor,
  nextMember,
  startAt,
  takeBoolean,
  takeNull,
  takeNumber,
  takeObject,
  takeText,
  takeValue,
} from './cursor.ts';
import { textTaken } from './kept-texts.ts';
import { membersOf } from './members.ts';
import { payloadWalkOf } from './payload-walk.ts';

/** Larger ones are few, and their sizes are for the long way to judge. */
const maxValueBytes = 65_536;

/**
 * Reads an event in one pass over its bytes, making only what its facts need: the objects that JSON.parse makes cost
 * more to collect than to make. Null: something about it is wrong or unusual, and the long way (decode.ts) has to tell.
 * What it reads the long way accepts with the same facts, and the catalogue has nothing to say of the payload.
 */
export const readDirectly = (value: Buffer): EventFacts | null => {
  if (value.length > maxValueBytes) return null;
  startAt(cursor, value);
  const facts = readEvent(cursor);
  letGo(cursor);
  return facts !== null && (cursor.mixedOfAll < 0x80 || isUtf8(value)) ? facts : null;
};

const cursor = newCursor();

/** Of the event that is being read. */
const seen = {
  /** Bits of the fields that came, with whatever value. */
  met: 0,
  /** Bits of the fields that have a value. */
  there: 0,
  /** Where event_data begins if it came before the type, which says what it must be; else -1. */
  dataAt: -1,
  /** Names of fields that have no rule. */
  unjudged: [] as string[],
};

/** They must not come twice either, and each is compared with those before it. */
const maxUnjudged = 8;

const readEvent = (cursor: Cursor): EventFacts | null => {
  seen.met = 0;
  seen.there = 0;
  seen.dataAt = -1;
  if (seen.unjudged.length > 0) seen.unjudged = [];
  const facts = noFacts();
  let ordinal = 0;
  let next = firstMember(cursor);
  for (; next === 'more'; next = nextMember(cursor)) if (!takeMember(cursor, ordinal++, facts)) return null;
  if (next !== 'end' || !isAtEnd(cursor) || (seen.there & allRequired) !== allRequired) return null;
  return seen.dataAt === -1 || walkAgain(cursor, facts) ? facts : null;
};

type Facts = { -readonly [K in keyof EventFacts]: EventFacts[K] };

// Hot path: one literal, nothing spread.
const noFacts = (): Facts => ({
  eventId: '',
  eventType: '',
  category: '',
  outcome: '',
  correlationId: '',
  timeUs: NaN,
  severity: null,
  actorType: null,
  actorId: null,
  resourceType: null,
  resourceId: null,
  namespace: null,
});

const takeMember = (cursor: Cursor, ordinal: number, facts: Facts): boolean => {
  const field = fields.take(cursor, ordinal);
  if (field === undefined) return isNew(textTaken(cursor)) && takeValue(cursor);
  if (field === null) return false;
  if ((seen.met & field.bit) !== 0) return false;
  seen.met |= field.bit;
  if (takeNull(cursor)) return true;
  seen.there |= field.bit;
  return field.take(cursor, facts);
};

const isNew = (name: string): boolean => {
  if (seen.unjudged.length === maxUnjudged || seen.unjudged.includes(name)) return false;
  seen.unjudged.push(name);
  return true;
};

const takeData = (cursor: Cursor, facts: Facts): boolean => {
  if (facts.eventType !== '') return payloadWalkOf(facts.eventType)(cursor);
  seen.dataAt = cursor.at;
  return takeObject(cursor);
};

const walkAgain = (cursor: Cursor, facts: Facts): boolean => {
  cursor.at = seen.dataAt;
  cursor.depth = 1;
  return payloadWalkOf(facts.eventType)(cursor);
};

/** Takes a field's value, which is not null; false: it is not right, or unusual. */
type Take = (cursor: Cursor, facts: Facts) => boolean;

const takeId: Take = (cursor, facts) => {
  const id = takeText(cursor) ? canonicalEventId(textTaken(cursor, 'once')) : null;
  facts.eventId = id ?? '';
  return id !== null;
};

const takeTime: Take = (cursor, facts) => {
  const timeUs = takeText(cursor) ? parseEventTime(textTaken(cursor, 'once')) : null;
  facts.timeUs = timeUs ?? NaN;
  return timeUs !== null;
};

const takeFact =
  (rule: FieldRule, keep: (facts: Facts, text: string) => void): Take =>
  (cursor, facts) => {
    if (!takeText(cursor)) return false;
    const text = textTaken(cursor);
    keep(facts, text);
    return rule(text) === null;
  };

/** A text, a number, true or false: no rule takes more. */
const takeOther =
  (rule: FieldRule): Take =>
  (cursor) =>
    rule(takeText(cursor) ? textTaken(cursor) : (takeBoolean(cursor) ?? takeNumber(cursor))) === null;

const orNull = (text: string): string | null => (text === '' ? null : text);

const keeps: Readonly<Record<string, (facts: Facts, text: string) => void>> = {
  event_type: (facts, text) => (facts.eventType = text),
  event_category: (facts, text) => (facts.category = text),
  event_outcome: (facts, text) => (facts.outcome = text),
  correlation_id: (facts, text) => (facts.correlationId = text),
  severity: (facts, text) => (facts.severity = orNull(text)),
  actor_type: (facts, text) => (facts.actorType = orNull(text)),
  actor_id: (facts, text) => (facts.actorId = orNull(text)),
  resource_type: (facts, text) => (facts.resourceType = orNull(text)),
  resource_id: (facts, text) => (facts.resourceId = orNull(text)),
  namespace: (facts, text) => (facts.namespace = orNull(text)),
};

const takeOf = (name: string, rule: FieldRule): Take => {
  if (name === 'event_id') return takeId;
  if (name === 'event_timestamp') return takeTime;
  if (name === 'event_data') return takeData;
  const keep = keeps[name];
  return keep === undefined ? takeOther(rule) : takeFact(rule, keep);
};

type Field = { readonly bit: number; readonly take: Take };

const byName = new Map(
  judgedFields.map(([name, rule], index): [string, Field] => [name, { bit: 1 << index, take: takeOf(name, rule) }]),
);
const fields = membersOf(byName);
const allRequired = Object.keys(requiredFields).reduce((bits, name) => bits | (byName.get(name)?.bit ?? 0), 0);
