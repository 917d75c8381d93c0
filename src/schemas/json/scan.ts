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
 * What JSON.parse does not tell of a document, read from its bytes in one pass without recursion. The bytes must be
 * UTF-8. Every statement is exact if they are JSON, and means nothing if they are not: parse as well.
 */
export type JsonScan = {
  /** Deepest nesting of objects and arrays: 0 for a bare number, 1 for `{}`. */
  readonly depth: number;
  /** Members written in the outermost object; more than its distinct keys if one is repeated. */
  readonly outerMembers: number;
  /** Members written in all objects together. */
  readonly members: number;
  /** Some escape names half of a surrogate pair, so that a text, or a key, is no Unicode. */
  readonly loneSurrogate: boolean;
};

const isOpening = (byte: number | undefined): boolean => byte === openObject || byte === openList;
const isClosing = (byte: number | undefined): boolean => byte === closeObject || byte === closeList;

/** Index of the closing quote of the string whose opening quote is at `open`; the length if there is none. */
const stringEnd = (bytes: Uint8Array, open: number): number => {
  let at = open + 1;
  for (; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) return at;
    if (byte === backslash) at++;
  }
  return bytes.length;
};

/** Which half of a surrogate pair the escape at `at` (a backslash) names: -1 none, 0 the high one, 1 the low one. */
const surrogateHalf = (bytes: Uint8Array, at: number): -1 | 0 | 1 => {
  if (bytes[at] !== backslash || bytes[at + 1] !== 0x75) return -1;
  if (((bytes[at + 2] ?? 0) | lowerCase) !== 0x64) return -1;
  const second = (bytes[at + 3] ?? 0) | lowerCase;
  if (second === 0x38 || second === 0x39 || second === 0x61 || second === 0x62) return 0; // 8 9 a b
  return second >= 0x63 && second <= 0x66 ? 1 : -1; // c d e f
};

const escapeLength = 6;

/** Reads the whole document; linear time, constant memory, whatever the bytes are. */
export const scanJson = (bytes: Uint8Array): JsonScan => {
  let level = 0;
  let depth = 0;
  let outerMembers = 0;
  let members = 0;
  let loneSurrogate = false;
  const end = bytes.length;
  for (let at = 0; at < end; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      // The one hot loop of decoding: most bytes of an event lie in its strings.
      for (at++; at < end; at++) {
        const inner = bytes[at];
        if (inner === quote) break;
        if (inner !== backslash) continue;
        const half = surrogateHalf(bytes, at);
        if (half === 0 && surrogateHalf(bytes, at + escapeLength) === 1) at += 2 * escapeLength - 1;
        else {
          if (half !== -1) loneSurrogate = true;
          at++;
        }
      }
    } else if (byte === colon) {
      members++;
      if (level === 1) outerMembers++;
    } else if (isOpening(byte)) {
      level++;
      if (level > depth) depth = level;
    } else if (isClosing(byte)) level--;
  }
  return { depth, outerMembers, members, loneSurrogate };
};

/** One member of the outermost object: its key as written (with quotes), and where its value lies, without blanks. */
export type OuterMember = { readonly key: Uint8Array; readonly from: number; readonly to: number };

/**
 * The members of the outermost object in the order in which they are written. The bytes must be JSON. For the rare
 * documents where {@link scanJson} or a size says that a closer look is due.
 */
export function* outerMembersOf(bytes: Uint8Array): Generator<OuterMember> {
  let level = 0;
  let string: Uint8Array = bytes.subarray(0, 0);
  let key: Uint8Array | null = null;
  let from = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === quote) {
      const close = stringEnd(bytes, at);
      if (level === 1) string = bytes.subarray(at, close + 1);
      at = close;
    } else if (byte === colon && level === 1) {
      key = string;
      from = at + 1;
    } else if (isOpening(byte)) level++;
    else if (isClosing(byte)) level--;
    if (key !== null && (level === 0 || (level === 1 && byte === comma))) {
      yield { key, ...trimmed(bytes, from, at) };
      key = null;
    }
  }
}

const trimmed = (bytes: Uint8Array, start: number, end: number): { from: number; to: number } => {
  let from = start;
  let to = end;
  while (from < to && isBlank(bytes[from])) from++;
  while (to > from && isBlank(bytes[to - 1])) to--;
  return { from, to };
};
