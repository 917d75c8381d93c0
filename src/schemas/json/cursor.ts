import {
  backslash,
  closeList,
  closeObject,
  colon,
  comma,
  isBlank,
  lowerCase,
  openList,
  openObject,
  quote,
} from './bytes.ts';

/**
 * Where a strict reading of JSON bytes stands. What a step takes is JSON by RFC 8259, and JSON.parse reads the same of
 * it; what it gives up on may be JSON nevertheless. Linear time; memory and stack are bounded by `maxDepth`.
 */
export type Cursor = {
  bytes: Buffer;
  at: number;
  end: number;
  /** Where the text read last lies, between its quotes. */
  from: number;
  to: number;
  /** Whether that text has escapes. */
  isEscaped: boolean;
  /** All bytes of that text, one or another: below 0x80 it is ASCII. */
  mixed: number;
  /** As `mixed`, of all texts so far. */
  mixedOfAll: number;
  /** Objects and lists that are open. */
  depth: number;
};

/** As deep as an event may nest: 10 of a field's value, and the event itself. */
const maxDepth = 11;

const none = Buffer.alloc(0);

export const newCursor = (): Cursor => ({
  ...{ bytes: none, at: 0, end: 0, depth: 0 },
  ...{ from: 0, to: 0, isEscaped: false, mixed: 0, mixedOfAll: 0 },
});

export const startAt = (cursor: Cursor, bytes: Buffer): void => {
  cursor.bytes = bytes;
  cursor.at = 0;
  cursor.end = bytes.length;
  cursor.mixedOfAll = 0;
  cursor.depth = 0;
};

/** It keeps no record's bytes alive. */
export const letGo = (cursor: Cursor): void => {
  cursor.bytes = none;
};

const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const blank = 0x20;

/** The next byte that is no blank, which is not taken; -1 at the end. */
const peek = (cursor: Cursor): number => {
  const { bytes, end } = cursor;
  let { at } = cursor;
  let byte = at < end ? (bytes[at] ?? -1) : -1;
  while (byte <= blank && byte !== -1) {
    if (!isBlank(byte)) return byte;
    at++;
    byte = at < end ? (bytes[at] ?? -1) : -1;
  }
  cursor.at = at;
  return byte;
};

/** Whether nothing but blanks is left. */
export const isAtEnd = (cursor: Cursor): boolean => peek(cursor) === -1;

const isHexDigit = (byte: number): boolean =>
  (byte >= zero && byte <= nine) || ((byte | lowerCase) >= 0x61 && (byte | lowerCase) <= 0x66);

/** Bytes of the escape at `at`; 0 for what is none, or names half of a surrogate pair. */
const escapeLength = (bytes: Buffer, at: number): number => {
  switch (bytes[at + 1] ?? 0) {
    case quote:
    case backslash:
    case 0x2f: // the slash
    case 0x62: // b
    case 0x66: // f
    case 0x6e: // n
    case 0x72: // r
    case 0x74: // t
      return 2;
    case 0x75: {
      for (let digit = at + 2; digit < at + 6; digit++) if (!isHexDigit(bytes[digit] ?? 0)) return 0;
      const isSurrogate = ((bytes[at + 2] ?? 0) | lowerCase) === 0x64 && (bytes[at + 3] ?? 0) >= 0x38;
      return isSurrogate ? 0 : 6;
    }
    default:
      return 0;
  }
};

/** Takes a text, whose place the cursor then says; false: there is none, or it is unusual. */
export const takeText = (cursor: Cursor): boolean => {
  if (peek(cursor) !== quote) return false;
  const { bytes, end } = cursor;
  let at = cursor.at + 1;
  let mixed = 0;
  cursor.from = at;
  cursor.isEscaped = false;
  // The hot loop of decoding: most bytes of an event lie in its texts.
  while (at < end) {
    const byte = bytes[at] ?? 0;
    if (byte === quote) {
      cursor.to = at;
      cursor.at = at + 1;
      cursor.mixed = mixed;
      cursor.mixedOfAll |= mixed;
      return true;
    }
    if (byte === backslash) {
      const length = escapeLength(bytes, at);
      if (length === 0) return false;
      cursor.isEscaped = true;
      at += length;
    } else {
      if (byte < blank) return false;
      mixed |= byte;
      at++;
    }
  }
  return false;
};

const digitsEnd = (bytes: Buffer, from: number, end: number): number => {
  let at = from;
  while (at < end && (bytes[at] ?? 0) >= zero && (bytes[at] ?? 0) <= nine) at++;
  return at;
};

/** Takes a number; undefined: there is none. */
export const takeNumber = (cursor: Cursor): number | undefined => {
  peek(cursor);
  const { bytes, end, at: start } = cursor;
  const first = bytes[start] === minus ? start + 1 : start;
  let at = digitsEnd(bytes, first, end);
  if (at === first || (bytes[first] === zero && at > first + 1)) return undefined;
  if (bytes[at] === point) {
    const fraction = at + 1;
    at = digitsEnd(bytes, fraction, end);
    if (at === fraction) return undefined;
  }
  if (((bytes[at] ?? 0) | lowerCase) === 0x65) {
    const sign = bytes[at + 1];
    const exponent = sign === minus || sign === 0x2b ? at + 2 : at + 1;
    at = digitsEnd(bytes, exponent, end);
    if (at === exponent) return undefined;
  }
  cursor.at = at;
  return Number(bytes.toString('latin1', start, at));
};

/** Takes these bytes if they come next. */
export const takeBytes = (cursor: Cursor, expected: Uint8Array): boolean => {
  const { bytes, at } = cursor;
  for (let index = 0; index < expected.length; index++) if (bytes[at + index] !== expected[index]) return false;
  cursor.at = at + expected.length;
  return true;
};

const nullWord = Buffer.from('null');
const trueWord = Buffer.from('true');
const falseWord = Buffer.from('false');

export const takeNull = (cursor: Cursor): boolean => peek(cursor) === nullWord[0] && takeBytes(cursor, nullWord);

/** Undefined: neither true nor false comes next. */
export const takeBoolean = (cursor: Cursor): boolean | undefined => {
  const first = peek(cursor);
  if (first === trueWord[0] && takeBytes(cursor, trueWord)) return true;
  return first === falseWord[0] && takeBytes(cursor, falseWord) ? false : undefined;
};

/** What comes next in an object or a list: one more, its end, or something unusual. */
export type Next = 'more' | 'end' | 'unusual';
export type Move = (cursor: Cursor) => Next;

const leave: Move = (cursor) => {
  cursor.at++;
  cursor.depth--;
  return 'end';
};

const first =
  (open: number, close: number): Move =>
  (cursor) => {
    if (peek(cursor) !== open || cursor.depth === maxDepth) return 'unusual';
    cursor.at++;
    cursor.depth++;
    return peek(cursor) === close ? leave(cursor) : 'more';
  };

const following =
  (close: number): Move =>
  (cursor) => {
    const byte = peek(cursor);
    if (byte === close) return leave(cursor);
    if (byte !== comma) return 'unusual';
    cursor.at++;
    return 'more';
  };

/** Opens an object; its first member's name comes next. */
export const firstMember = first(openObject, closeObject);
/** To be called when a member's value was taken. */
export const nextMember = following(closeObject);
/** Opens a list; its first item comes next. */
export const firstItem = first(openList, closeList);
/** To be called when an item was taken. */
export const nextItem = following(closeList);

/** Takes a member's name, which is then the text taken, and the colon; the value comes next. */
export const takeName = (cursor: Cursor): boolean => {
  if (!takeText(cursor) || peek(cursor) !== colon) return false;
  cursor.at++;
  return true;
};

export const takeObject = (cursor: Cursor): boolean => {
  let next = firstMember(cursor);
  for (; next === 'more'; next = nextMember(cursor)) if (!takeName(cursor) || !takeValue(cursor)) return false;
  return next === 'end';
};

const takeList = (cursor: Cursor): boolean => {
  let next = firstItem(cursor);
  for (; next === 'more'; next = nextItem(cursor)) if (!takeValue(cursor)) return false;
  return next === 'end';
};

/** Takes any value; false: there is none, or something about it is unusual. */
export const takeValue = (cursor: Cursor): boolean => {
  switch (peek(cursor)) {
    case quote:
      return takeText(cursor);
    case openObject:
      return takeObject(cursor);
    case openList:
      return takeList(cursor);
    case trueWord[0]:
    case falseWord[0]:
      return takeBoolean(cursor) !== undefined;
    case nullWord[0]:
      return takeNull(cursor);
    default:
      return takeNumber(cursor) !== undefined;
  }
};
