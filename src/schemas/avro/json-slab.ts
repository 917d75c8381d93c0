/** Where JSON is written by hand: one event behind the other in large buffers, for a Buffer for each costs more. */
import { isUtf8 } from 'node:buffer';

/** Thrown: this is for others. */
export const unusual = Symbol('unusual');
export const giveUp = (): never => {
  throw unusual; // eslint-disable-line @typescript-eslint/only-throw-error -- no stack is wanted
};

/** What its JSON may have beyond three times its bytes. */
const spareBytes = 4_096;
/** Where all readers write, one event behind the other: a Buffer for each costs more than to write it. */
const slabBytes = 65_536;

let out = Buffer.allocUnsafeSlow(slabBytes);
/** `text` has a character for each byte from `from` on. */
const state = { to: 0, end: 0, text: '', from: 0 };

export const startWriting = (value: Buffer, from: number): number => {
  const wanted = 3 * value.length + spareBytes;
  if (state.to + wanted > out.length) {
    out = Buffer.allocUnsafeSlow(slabBytes);
    state.to = 0;
  }
  state.end = state.to + wanted;
  state.text = value.toString('latin1', from);
  state.from = from;
  return state.to;
};

/** So many bytes and a few more may be written. */
export const room = (bytes: number): void => {
  if (state.to + bytes + 32 > state.end) giveUp();
};

/** Keeps nothing of the event alive but its JSON. */
export const stopWriting = (): void => {
  state.text = '';
};

export const writtenTo = (): number => state.to;
export const writtenFrom = (begin: number): Buffer => out.subarray(begin, state.to);

const comma = 0x2c;
const quote = 0x22;

export const put = (byte: number): void => {
  out[state.to++] = byte;
};

/** ASCII. */
export const putAscii = (text: string): void => {
  room(text.length);
  for (let index = 0; index < text.length; index++) out[state.to++] = text.charCodeAt(index);
};

const isHigh = 1;
const isEscaped = 2;
/** By byte: what is to be done about it in a JSON text. */
const kinds = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x80 ? isHigh : byte < 0x20 || byte === quote || byte === 0x5c ? isEscaped : 0,
);

/** A comma, a name and a colon. */
export const putKey = (key: Buffer): void => {
  const { length } = key;
  room(length);
  const to = state.to;
  for (let index = 0; index < length; index++) out[to + index] = key[index] ?? 0;
  state.to = to + length;
};

/** Makes an object or list of what was written from there on, each with a comma in front. */
export const encloseFrom = (begin: number, open: number, close: number): void => {
  if (state.to === begin) put(comma);
  out[begin] = open;
  put(close);
};

/** Writes a text of UTF-8 as a JSON string, and returns it. */
export const putUtf8 = (bytes: Buffer, from: number, end: number): string => {
  room(end - from + 2);
  let to = state.to;
  let kind = 0;
  out[to++] = quote;
  for (let at = from; at < end; at++) {
    const byte = bytes[at] ?? 0;
    kind |= kinds[byte] ?? 0;
    out[to++] = byte;
  }
  out[to++] = quote;
  if (kind !== 0) return unusualText(bytes, from, end, kind);
  state.to = to;
  return state.text.substring(from - state.from, end - state.from);
};

const unusualText = (bytes: Buffer, from: number, end: number, kind: number): string => {
  if ((kind & isHigh) !== 0 && !isUtf8(bytes.subarray(from, end))) giveUp();
  const text = bytes.toString('utf8', from, end);
  if ((kind & isEscaped) === 0) state.to += end - from + 2;
  else putJson(JSON.stringify(text));
  return text;
};

export const putJson = (json: string): void => {
  room(3 * json.length);
  state.to += out.write(json, state.to);
};
