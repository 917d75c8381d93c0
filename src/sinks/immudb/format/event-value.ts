/** The value of `event/<event_id>`: `{"v":1,"source":{…},"event":`, the event's JSON bytes, `}`. */
import { isUtf8 } from 'node:buffer';
import { type EventSource, putSource, readSource, type SourceToWrite } from './event-source.ts';
import { refuse } from './invalid.ts';
import { membersOf, parseJson } from './members.ts';
import { closingBrace, type Pen, putAscii, putByte, putBytes, textOf } from './pen.ts';

const head = '{"v":1,"source":';
const headBytes = Buffer.from(head);
const boundary = ',"event":';

/** Writes the value. `source` is taken as it is; decoding is where it is checked. */
export const putEventValue = (pen: Pen, source: SourceToWrite, json: Uint8Array): void => {
  putAscii(pen, head);
  putSource(pen, source);
  putAscii(pen, boundary);
  putBytes(pen, json);
  putByte(pen, closingBrace);
};

export type EventValue = {
  readonly source: EventSource;
  /** The event's JSON text, a view of the value's own bytes. */
  readonly json: Buffer;
};

/**
 * Throws LEDGER_FORMAT_INVALID. The first `,"event":` is the boundary: inside of JSON text a quotation mark is escaped,
 * and no object within `source` has names that somebody else chose. Then `source` is written again and compared, and
 * what follows must be one JSON object, so that a reader of the whole value sees this event and no other.
 */
export const decodeEventValue = (key: string, value: Uint8Array): EventValue => {
  const opened = openEventValue(key, value);
  if (!isUtf8(opened.json)) refuse(key, 'the event is not UTF-8');
  membersOf(key, parseJson(key, opened.json.toString()), 'event.');
  return opened;
};

/** As decodeEventValue, but the event itself is not looked into: for a reader that decodes it by itself. */
export const openEventValue = (key: string, value: Uint8Array): EventValue => {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const end = bytes.indexOf(boundary);
  if (!bytes.subarray(0, head.length).equals(headBytes) || end === -1) refuse(key, whyNoEvent(bytes));
  const text = bytes.toString('utf8', head.length, end);
  const source = readSource(key, membersOf(key, parseJson(key, text), 'source.'));
  // What is no UTF-8 reads as if it were another text.
  if (text !== textOf(putSource, source) || !isUtf8(bytes.subarray(head.length, end))) {
    refuse(key, 'source is not in the exact form that format 1 writes');
  }
  const start = end + boundary.length;
  if (bytes.at(-1) !== closingBrace) refuse(key, 'the event is not closed');
  return { source, json: bytes.subarray(start, -1) };
};

const whyNoEvent = (bytes: Buffer): string =>
  bytes.includes(',"sealed":') ? 'sealed is reserved: a newer program wrote this event' : 'no source and event';
