import type { Decoded, EventFacts, Rejected } from './decoded.ts';
import { canonicalEventId } from './event-id.ts';
import { fieldRule, requiredFields } from './event-fields.ts';
import { parseEventTime } from './event-time.ts';
import { readDirectly } from './json/direct.ts';
import { type JsonScan, outerMembersOf, scanJson } from './json/scan.ts';
import type { JudgePayload } from './payload-rule.ts';
import type { RejectionCode } from './rejection.ts';
import { isObject } from './json/object.ts';

/** The largest event, in bytes of its JSON text: Kafka's own default for a message. */
export const maxEventBytes = 1_048_576;
/** The largest `event_data`, in bytes as it stands in the record, from `{` to `}`. */
export const maxEventDataBytes = 262_144;
/** How deep any value of the envelope may nest; `event_data` itself counts 1. */
const maxValueDepth = 10;

/** Deeper documents are refused unparsed: their identity is not worth the memory that parsing them would take. */
const maxParsedDepth = 1_000;

type Fields = Readonly<Record<string, unknown>>;

const reject = (code: RejectionCode, message: string): Rejected => ({ accepted: false, code, message });

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Null if the bytes are not well-formed UTF-8. */
const textOf = (bytes: Buffer): string | null => {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
};

/** Faults that show before the text is looked at. */
const faultOfBytes = (value: Buffer): Rejected | null => {
  if (value.length === 0) return reject('VALUE_EMPTY', 'the value has no bytes');
  if (value.length > maxEventBytes) {
    return reject('RECORD_TOO_LARGE', `the value has ${value.length} bytes; at most ${maxEventBytes} are taken`);
  }
  if (value[0] === 0) return reject('ENCODING_UNKNOWN', 'the value begins with a zero byte and is not plain JSON');
  if (value[0] === 0xef && value[1] === 0xbb && value[2] === 0xbf) {
    return reject('BOM_PRESENT', 'the value begins with a byte order mark');
  }
  return null;
};

/** JSON.parse quotes the payload in its messages; only the place may be told. */
const notJson = (error: unknown): Rejected => {
  const place = error instanceof Error ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return reject('JSON_INVALID', `the value is not JSON${place === undefined ? '' : ` (at character ${place})`}`);
};

const keyText = (key: Uint8Array): string => JSON.parse(Buffer.from(key).toString()) as string;

/** Only names of our own fields are told: an unknown one may be payload. */
const faultOfDuplicate = (value: Buffer): Rejected => {
  const seen = new Set<string>();
  for (const { key } of outerMembersOf(value)) {
    const name = keyText(key);
    if (seen.has(name) && fieldRule(name) !== undefined) return reject('KEY_DUPLICATED', `${name} stands twice`);
    seen.add(name);
  }
  return reject('KEY_DUPLICATED', 'an unknown field stands twice');
};

const eventDataBytes = (value: Buffer): number => {
  for (const { key, from, to } of outerMembersOf(value)) if (keyText(key) === 'event_data') return to - from;
  return 0;
};

/** Faults of the document as a whole. */
const faultOfDocument = (value: Buffer, scan: JsonScan, names: readonly string[]): Rejected | null => {
  if (scan.loneSurrogate) return reject('UNICODE_INVALID', 'an escape names half of a surrogate pair');
  if (scan.outerMembers !== names.length) return faultOfDuplicate(value);
  if (scan.depth > maxValueDepth + 1) {
    return reject('DEPTH_EXCEEDED', `a field nests ${scan.depth - 1} deep; at most ${maxValueDepth} are taken`);
  }
  return faultOfSize(value, () => eventDataBytes(value));
};

/** Sizes of an event's JSON; `eventData` is asked for the bytes of event_data only where they could be too many. */
export const faultOfSize = (json: Buffer, eventData: () => number): Rejected | null => {
  if (json.length > maxEventBytes) {
    return reject('RECORD_TOO_LARGE', `the event has ${json.length} bytes of JSON; at most ${maxEventBytes} are taken`);
  }
  if (json.length <= maxEventDataBytes) return null;
  const bytes = eventData();
  if (bytes <= maxEventDataBytes) return null;
  return reject('EVENT_DATA_TOO_LARGE', `event_data has ${bytes} bytes; at most ${maxEventDataBytes} are taken`);
};

/** Faults of the fields, of those that are missing first. */
const faultOfFields = (event: Fields, names: readonly string[]): Rejected | null => {
  for (const name in requiredFields) {
    if (event[name] === undefined || event[name] === null) return reject('FIELD_MISSING', `${name} is missing`);
  }
  for (const name of names) {
    const rule = fieldRule(name);
    if (rule === undefined) continue;
    const value = event[name];
    const found = value === null ? null : rule(value);
    if (found !== null) return reject(found.code, `${name} ${found.problem}`);
  }
  return null;
};

const optionalText = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** Of an event without faults; the casts are what the rules of its fields have shown. */
const factsOf = (event: Fields): EventFacts => ({
  eventId: (event['event_id'] as string).toLowerCase(),
  eventType: event['event_type'] as string,
  category: event['event_category'] as string,
  outcome: event['event_outcome'] as string,
  correlationId: event['correlation_id'] as string,
  timeUs: parseEventTime(event['event_timestamp'] as string) ?? NaN,
  severity: optionalText(event['severity']),
  actorType: optionalText(event['actor_type']),
  actorId: optionalText(event['actor_id']),
  resourceType: optionalText(event['resource_type']),
  resourceId: optionalText(event['resource_id']),
  namespace: optionalText(event['namespace']),
});

/** What a record at fault still says of itself, of those fields that are right. */
const identify = (fault: Rejected, event: Fields): Rejected => {
  const right = (name: keyof typeof requiredFields): string | undefined => {
    const value = event[name];
    return typeof value === 'string' && value.isWellFormed() && requiredFields[name](value) === null
      ? value
      : undefined;
  };
  const [eventId, correlationId, eventType] = [right('event_id'), right('correlation_id'), right('event_type')];
  return {
    ...fault,
    ...(eventId !== undefined && { eventId: canonicalEventId(eventId) ?? eventId }),
    ...(correlationId !== undefined && { correlationId }),
    ...(eventType !== undefined && { eventType }),
  };
};

/** What a record is, by the objects that JSON.parse makes of it. Exact in what it says, and slower. */
export const decodeTheLongWay = (value: Buffer, judge: JudgePayload): Decoded => {
  const fault = faultOfBytes(value);
  if (fault !== null) return fault;
  const text = textOf(value);
  if (text === null) return reject('UTF8_INVALID', 'the value is not well-formed UTF-8');
  const scan = scanJson(value);
  if (scan.depth > maxParsedDepth) return reject('DEPTH_EXCEEDED', `the value nests more than ${maxParsedDepth} deep`);
  return decodeText(value, text, scan, judge);
};

/**
 * What a plain JSON record is: an event, or a record at fault and why. Never throws; time and memory grow no faster
 * than the value, which is refused above {@link maxEventBytes}. Unknown fields are kept and not judged; the payload is
 * judged by `judge`. No message holds more of the payload than the name of one of our own fields.
 */
export const decodeWith =
  (judge: JudgePayload) =>
  (value: Buffer | null): Decoded => {
    if (value === null) return reject('VALUE_NULL', 'the record has no value');
    const facts = readDirectly(value);
    return facts === null ? decodeTheLongWay(value, judge) : { accepted: true, facts, json: value };
  };

export type DecodeJson = ReturnType<typeof decodeWith>;

/** {@link decodeWith} that takes any payload. */
export const decode = decodeWith(() => null);

const decodeText = (value: Buffer, text: string, scan: JsonScan, judge: JudgePayload): Decoded => {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    return notJson(error);
  }
  if (!isObject(event)) return reject('JSON_NOT_OBJECT', 'the value is JSON, but not an object');
  const names = Object.keys(event);
  const fault = faultOfDocument(value, scan, names);
  return fault === null ? decodeEvent(event, names, value, judge) : identify(fault, event);
};

/** An event whose JSON is sound: what its fields and its payload say. `json` is its text, `names` the fields it has. */
export const decodeEvent = (event: Fields, names: readonly string[], json: Buffer, judge: JudgePayload): Decoded => {
  const fault = faultOfFields(event, names);
  if (fault !== null) return identify(fault, event);
  const facts = factsOf(event);
  const judged = judge(facts.eventType, event['event_data'] as Fields);
  if (judged === null) return { accepted: true, facts, json };
  if (!judged.isRefused) return { accepted: true, facts, json, doubt: judged.message };
  return identify(reject('PAYLOAD_INVALID', judged.message), event);
};
