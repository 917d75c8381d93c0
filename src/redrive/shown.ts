import { isUtf8 } from 'node:buffer';

/** What a producer sent, as text that a terminal can show: nothing in it can steer the terminal or hide. */

// Controls, marks that turn the direction of writing or are not seen, line separators, and what is no character.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu;

/** Line feeds stay, unless `oneLine`. */
export const safeText = (text: string, oneLine = false): string =>
  text.replace(unsafe, (character) => (character === '\n' && !oneLine ? character : escaped(character)));

const escaped = (character: string): string => {
  if (character === '\n') return '\\n';
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
};

/** Bytes as text: UTF-8 where it is, `\xNN` where it is not; cut at `maxBytes`, saying so. */
export const shownBytes = (bytes: Uint8Array, maxBytes: number): string => {
  const head = Buffer.from(bytes.subarray(0, maxBytes));
  const shown = safeText(utf8OrHex(head));
  const cut = bytes.length - head.length;
  return cut > 0 ? `${shown}… (${cut} more bytes)` : shown;
};

/** Each byte that is no part of well-formed UTF-8 becomes `\xNN`. */
const utf8OrHex = (bytes: Buffer): string => {
  if (isUtf8(bytes)) return bytes.toString();
  let shown = '';
  for (let at = 0; at < bytes.length;) {
    const length = sequenceAt(bytes, at);
    shown +=
      length > 0 ? bytes.toString('utf8', at, at + length) : `\\x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`;
    at += Math.max(1, length);
  }
  return shown;
};

/** Length of the well-formed UTF-8 sequence that begins here; 0: none does. */
const sequenceAt = (bytes: Buffer, at: number): number => {
  const first = bytes[at] ?? 0;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
};

/**
 * The shape of a value without what it says: names stay, texts and numbers become their length. What is no JSON
 * becomes its length alone.
 */
export const maskedBytes = (bytes: Uint8Array): string => {
  try {
    return safeText(JSON.stringify(masked(JSON.parse(Buffer.from(bytes).toString())), null, 2));
  } catch {
    return `(${bytes.length} bytes, not shown)`;
  }
};

const maxMaskedDepth = 20;
const masked = (value: unknown, depth = 0): unknown => {
  if (typeof value === 'string') return `(text of ${value.length})`;
  if (typeof value === 'number') return '(number)';
  if (typeof value !== 'object' || value === null) return value;
  if (depth === maxMaskedDepth) return '(nested deeper)';
  if (Array.isArray(value)) return value.map((one) => masked(one, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, masked(one, depth + 1)]));
};
