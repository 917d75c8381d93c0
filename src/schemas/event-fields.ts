import { isLonger } from './code-points.ts';
import { canonicalEventId, isUuid } from './event-id.ts';
import { isCalendarDay, parseEventTime } from './event-time.ts';
import { isObject } from './json/object.ts';
import type { RejectionCode } from './rejection.ts';

/** What is wrong with a field's value: the code, and the rest of a sentence that begins with the field's name. */
export type FieldProblem = { readonly code: RejectionCode; readonly problem: string };

/** Judges a value that is neither absent nor null; null means that it is right. */
export type FieldRule = (value: unknown) => FieldProblem | null;

const notText: FieldProblem = { code: 'FIELD_TYPE', problem: 'must be a string' };
const notBoolean: FieldProblem = { code: 'FIELD_TYPE', problem: 'must be true or false' };
const notInteger: FieldProblem = { code: 'FIELD_TYPE', problem: 'must be an integer' };
const notObject: FieldProblem = { code: 'FIELD_TYPE', problem: 'must be an object' };

const textOf = (max: number, min: 0 | 1): FieldRule => {
  const range = max === Infinity ? 'not be empty' : `have ${String(min)} to ${String(max)} characters`;
  const wrongLength: FieldProblem = { code: 'FIELD_LENGTH', problem: `must ${range}` };
  return (value) => {
    if (typeof value !== 'string') return notText;
    return value.length < min || isLonger(value, max) ? wrongLength : null;
  };
};

const textThat = (isRight: (text: string) => boolean, code: RejectionCode, problem: string): FieldRule => {
  const wrong: FieldProblem = { code, problem };
  return (value) => {
    if (typeof value !== 'string') return notText;
    return isRight(value) ? null : wrong;
  };
};

const required = (max: number): FieldRule => textOf(max, 1);
const optional = (max: number): FieldRule => textOf(max, 0);
const orEmpty =
  (isRight: (text: string) => boolean) =>
  (text: string): boolean =>
    text === '' || isRight(text);

const integer: FieldRule = (value) => (Number.isSafeInteger(value) ? null : notInteger);
const retentionDays: FieldRule = (value) => {
  if (!Number.isSafeInteger(value)) return notInteger;
  const days = value as number;
  return days >= 1 && days <= 2555 ? null : { code: 'FIELD_RANGE', problem: 'must be 1 to 2555' };
};
const boolean: FieldRule = (value) => (typeof value === 'boolean' ? null : notBoolean);
const object: FieldRule = (value) => (isObject(value) ? null : notObject);

const isOfWord = (code: number): boolean => {
  const letter = code | 0x20;
  return (
    (letter >= 0x61 && letter <= 0x7a) || // a to z, in either case
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x2d && code <= 0x2e) || // - .
    code === 0x5f // _
  );
};
/** Hot path: a pattern takes twice as long. */
const isEventType = (text: string): boolean => {
  if (text.length < 1 || text.length > 100) return false;
  for (let at = 0; at < text.length; at++) if (!isOfWord(text.charCodeAt(at))) return false;
  return true;
};
const isOutcome = (text: string): boolean => text === 'success' || text === 'failure' || text === 'pending';
const isTime = (text: string): boolean => parseEventTime(text) !== null;

/** The fields that every event must have, in the order in which a missing one is reported. */
export const requiredFields = {
  event_id: textThat((text) => canonicalEventId(text) !== null, 'EVENT_ID_INVALID', 'must be a UUID, not nil or max'),
  version: required(20),
  event_type: textThat(isEventType, 'EVENT_TYPE_INVALID', 'must be 1 to 100 of A-Z a-z 0-9 . _ -'),
  event_timestamp: textThat(isTime, 'TIME_INVALID', 'must be an RFC 3339 time with a zone, 1970 to 2199'),
  event_category: required(50),
  event_action: required(50),
  event_outcome: textThat(isOutcome, 'OUTCOME_INVALID', 'must be success, failure or pending'),
  correlation_id: required(255),
  event_data: object,
} as const satisfies Record<string, FieldRule>;

/**
 * The fields that an event may have; null and empty text count as absent. Categories are an extensible vocabulary and
 * the age of an event is the producer's edge to judge: neither is enforced. `event_metadata` may be anything.
 */
const optionalFields = {
  actor_type: optional(50),
  actor_id: optional(255),
  actor_ip: optional(45),
  resource_type: optional(100),
  resource_id: optional(255),
  resource_name: optional(255),
  parent_event_id: textThat(orEmpty(isUuid), 'FIELD_FORMAT', 'must be a UUID'),
  parent_event_date: textThat(
    orEmpty((text) => isTime(text) || isCalendarDay(text)),
    'FIELD_FORMAT',
    'must be an RFC 3339 time or day',
  ),
  trace_id: optional(255),
  span_id: optional(255),
  namespace: optional(253),
  cluster_id: optional(255),
  severity: optional(20),
  duration_ms: integer,
  error_code: optional(50),
  error_message: optional(Infinity),
  retention_days: retentionDays,
  is_sensitive: boolean,
} as const satisfies Record<string, FieldRule>;

/** A Map, so that a field named like a property of Object.prototype finds nothing. */
const rules: ReadonlyMap<string, FieldRule> = new Map<string, FieldRule>([
  ...Object.entries(requiredFields),
  ...Object.entries(optionalFields),
]);

/** Every field that has a rule; at most 31, so that a set of them is one number. */
export const judgedFields: readonly (readonly [name: string, rule: FieldRule])[] = [...rules];

/** The rule for a field; undefined for fields that are kept and not judged. */
export const fieldRule = (name: string): FieldRule | undefined => rules.get(name);
