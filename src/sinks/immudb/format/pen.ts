/** Writes text straight into bytes, without a string or a buffer for what is put together. Hot path. */
import { isUtf8 } from 'node:buffer';

/** Where is written next. Its bytes are shared memory, so that another thread can hash them, and grow as needed. */
export type Pen = { bytes: Buffer; at: number };

export const newPen = (length: number): Pen => ({ bytes: sharedBytes(length), at: 0 });

const sharedBytes = (length: number): Buffer => Buffer.from(new SharedArrayBuffer(length));

/** Makes sure that `length` more bytes can be written. */
export const reserve = (pen: Pen, length: number): void => {
  if (pen.at + length > pen.bytes.length) grow(pen, pen.at + length);
};

const grow = (pen: Pen, length: number): void => {
  const grown = sharedBytes(Math.max(pen.bytes.length * 2, length));
  grown.fill(pen.bytes.subarray(0, pen.at), 0, pen.at);
  pen.bytes = grown;
};

export const comma = 0x2c;
export const closingBracket = 0x5d;
export const closingBrace = 0x7d;

/** Up to these lengths a loop is quicker than a call into Node. */
const shortText = 20;
const shortBytes = 40;

export const putBytes = (pen: Pen, bytes: Uint8Array): void => {
  const { length } = bytes;
  reserve(pen, length);
  const { bytes: target, at } = pen;
  // Into shared memory `set` and `copy` go byte by byte, in case that another thread reads; `fill` does not.
  if (length > shortBytes) target.fill(bytes, at, at + length);
  else for (let index = 0; index < length; index++) target[at + index] = bytes[index] ?? 0;
  pen.at = at + length;
};

/** Writes once more what was written in [from, to). */
export const putAgain = (pen: Pen, from: number, to: number): void => {
  const length = to - from;
  reserve(pen, length);
  const { bytes, at } = pen;
  for (let index = 0; index < length; index++) bytes[at + index] = bytes[from + index] ?? 0;
  pen.at = at + length;
};

export const putByte = (pen: Pen, byte: number): void => {
  reserve(pen, 1);
  pen.bytes[pen.at++] = byte;
};

/** Text of ASCII alone: a character is a byte. */
export const putAscii = (pen: Pen, text: string): void => {
  const { length } = text;
  reserve(pen, length);
  const { bytes, at } = pen;
  if (length > shortText) bytes.write(text, at, 'latin1');
  else for (let index = 0; index < length; index++) bytes[at + index] = text.charCodeAt(index);
  pen.at = at + length;
};

const quote = 0x22;
const backslash = 0x5c;

/** Printable ASCII that JSON does not escape: its own JSON text between the quotes. */
const isPlain = (code: number): boolean => code >= 0x20 && code <= 0x7e && code !== quote && code !== backslash;

/** The text as JSON.stringify writes it. */
export const putText = (pen: Pen, text: string): void => {
  const { length } = text;
  reserve(pen, length + 2);
  const { bytes, at } = pen;
  bytes[at] = quote;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (!isPlain(code)) {
      putEscaped(pen, text);
      return;
    }
    bytes[at + 1 + index] = code;
  }
  bytes[at + 1 + length] = quote;
  pen.at = at + 2 + length;
};

const putEscaped = (pen: Pen, text: string): void => {
  const json = JSON.stringify(text);
  // No UTF-16 unit takes more than three bytes.
  reserve(pen, 3 * json.length);
  pen.at += pen.bytes.write(json, pen.at);
};

/** Bytes of well-formed UTF-8 as JSON text. Any others: false, and nothing is written. */
export const putUtf8 = (pen: Pen, text: Buffer): boolean => {
  const { length } = text;
  reserve(pen, length + 2);
  const { bytes, at } = pen;
  bytes[at] = quote;
  for (let index = 0; index < length; index++) {
    const byte = text[index] ?? 0;
    if (!isPlain(byte)) return putUtf8Escaped(pen, text);
    bytes[at + 1 + index] = byte;
  }
  bytes[at + 1 + length] = quote;
  pen.at = at + 2 + length;
  return true;
};

const putUtf8Escaped = (pen: Pen, text: Buffer): boolean => {
  const isText = isUtf8(text);
  if (isText) putEscaped(pen, text.toString());
  return isText;
};

/** An integer of any size, as String writes it. */
export const putInteger = (pen: Pen, value: number | bigint): void => {
  const number = Number(value);
  if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) putPadded(pen, number, digitsOf(number));
  else putAscii(pen, String(value));
};

const digitsOf = (value: number): number => {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits += 1;
  return digits;
};

/** The last `width` digits of a safe integer that is not negative; at most 16. */
export const putPadded = (pen: Pen, value: number, width: number): void => {
  reserve(pen, width);
  const high = Math.floor(value / 1e8);
  const split = Math.max(0, width - 8);
  putDigits(pen, high | 0, split);
  putDigits(pen, (value - high * 1e8) | 0, width - split);
};

/** Of 32-bit integers, which are divided quickly. */
const putDigits = (pen: Pen, value: number, width: number): void => {
  const { bytes, at } = pen;
  let rest = value;
  for (let index = width - 1; index >= 0; index--) {
    const tenth = (rest / 10) | 0;
    bytes[at + index] = 0x30 + rest - 10 * tenth;
    rest = tenth;
  }
  pen.at = at + width;
};

const scratchLength = 16_384;
const scratch = newPen(scratchLength);

/** What `put` writes, as text. */
export const textOf = <T>(put: (pen: Pen, of: T) => void, of: T): string => {
  scratch.at = 0;
  put(scratch, of);
  const text = scratch.bytes.toString('utf8', 0, scratch.at);
  // One giant does not hold memory for ever.
  if (scratch.bytes.length > scratchLength) scratch.bytes = sharedBytes(scratchLength);
  return text;
};
