import { scanJson } from './json/scan.ts';

/** Deeper documents are not compared: an event's nests 11 at most. */
const maxComparedDepth = 100;

/**
 * The RFC 8785 (JCS) form of a JSON value: no blanks, members sorted by the UTF-16 units of their keys, numbers and
 * texts as ECMAScript writes them. The value must come from JSON.parse and hold well-formed Unicode.
 */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = value as Readonly<Record<string, unknown>>;
  const members = Object.keys(fields)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(fields[key])}`);
  return `{${members.join(',')}}`;
};

/** A decimal number as its sign, its digits without outer zeros and the power of ten behind the last of them. */
const decimalOf = (text: string): string => {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const leading = (whole + fraction).replace(/^0+/, '');
  let end = leading.length;
  while (end > 0 && leading.charCodeAt(end - 1) === 0x30) end--;
  if (end === 0) return '0';
  const power = BigInt(exponent.slice(0, 20)) - BigInt(fraction.length) + BigInt(leading.length - end);
  return `${sign}${leading.slice(0, end)}e${String(power)}`;
};

/**
 * Whether a number's text loses nothing as a double: the text that ECMAScript writes for the double is the same
 * decimal number. So `1.0`, `1e2` and `0.10` do, `9007199254740993` and `1e400` do not.
 */
export const roundTrips = (text: string): boolean => {
  const number = Number(text);
  const written = JSON.stringify(number);
  return written === text || (Number.isFinite(number) && decimalOf(written) === decimalOf(text));
};

/** Members of all objects in the value. */
const memberCount = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const children: readonly unknown[] = Object.values(value);
  const own = Array.isArray(value) ? 0 : children.length;
  return children.reduce<number>((sum, child) => sum + memberCount(child), own);
};

/** The canonical form of a document, or null if it has none that loses nothing. */
const losslessForm = (bytes: Buffer): string | null => {
  const scan = scanJson(bytes);
  if (scan.loneSurrogate || scan.depth > maxComparedDepth) return null;
  let inexact = 0;
  const check = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    if (typeof value === 'number' && !roundTrips(context?.source ?? '')) inexact++;
    return value;
  };
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const value: unknown = JSON.parse(text, check);
  // A repeated key hides a member from every reader of the parsed value.
  return inexact === 0 && memberCount(value) === scan.members ? canonicalJson(value) : null;
};

/**
 * Whether two events have the same content: equal bytes, else an equal RFC 8785 form, and then only if both are JSON
 * without repeated keys whose every number survives as a double (see {@link roundTrips}). Where in doubt the answer is
 * no: the newer record is then dead-lettered as a conflict, and nothing is lost. Never throws.
 */
export const sameContent = (a: Buffer, b: Buffer): boolean => {
  if (a.equals(b)) return true;
  try {
    const form = losslessForm(a);
    return form !== null && form === losslessForm(b);
  } catch {
    return false;
  }
};
