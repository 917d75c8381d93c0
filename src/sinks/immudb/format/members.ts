import { maxInt64 } from './digits.ts';
import { refuse } from './invalid.ts';

/** Reads the members of one JSON object; a member that is missing or of another kind is LEDGER_FORMAT_INVALID. */
export type Members = {
  /** Whether the object has this member at all. */
  has(name: string): boolean;
  isNull(name: string): boolean;
  text(name: string): string;
  /** Undefined if the member is missing; null is not missing. */
  optionalText(name: string): string | undefined;
  oneOf<const T extends string>(name: string, allowed: readonly T[]): T;
  /** Lower-case hex of 32 bytes. */
  sha256(name: string): string;
  integer(name: string, max: number): number;
  /** A 64-bit number, as a decimal string. `min` is 0n unless told. */
  decimal(name: string, min?: bigint): bigint;
  flag(name: string): boolean;
  flagOrInteger(name: string): boolean | number;
  object(name: string): Members;
  objectOrNull(name: string): Members | null;
  optionalObject(name: string): Members | undefined;
  list(name: string): readonly unknown[];
  names(): readonly string[];
};

/** The members of a value that must be a JSON object with `"v":1`. `key` is for messages. */
export const valueMembers = (key: string, value: Uint8Array): Members => {
  const members = membersOf(key, parseJson(key, Buffer.from(value.buffer, value.byteOffset, value.length).toString()));
  if (members.integer('v', Number.MAX_SAFE_INTEGER) !== 1) refuse(key, 'v is not 1');
  return members;
};

export const parseJson = (key: string, text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Without its cause: that one quotes the value.
    return refuse(key, 'the value is not JSON');
  }
};

/** Format 1 has one text for one meaning: other order, white space, unknown or repeated members are refused. */
export const requireWritten = (key: string, value: Uint8Array, written: Uint8Array): void => {
  if (Buffer.compare(value, written) !== 0) refuse(key, 'the value is not in the exact form that format 1 writes');
};

/** `path` names the object in messages, such as `last.`. */
export const membersOf = (key: string, object: unknown, path = ''): Members => {
  if (!isObject(object)) return refuse(key, `${path === '' ? 'the value' : path.slice(0, -1)} is not an object`);
  const get = (name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);
  const wrong = (name: string, expected: string): never => refuse(key, `${path}${name} is not ${expected}`);
  const text = (name: string): string => {
    const value = get(name);
    return typeof value === 'string' && value.isWellFormed() ? value : wrong(name, 'well-formed text');
  };
  const flag = (name: string): boolean | null => {
    const value = get(name);
    return typeof value === 'boolean' ? value : null;
  };
  const nested = (name: string): Members => membersOf(key, get(name), `${path}${name}.`);
  return {
    has: (name) => Object.hasOwn(object, name),
    isNull: (name) => get(name) === null,
    text,
    optionalText: (name) => (get(name) === undefined ? undefined : text(name)),
    oneOf: (name, allowed) => allowed.find((one) => one === get(name)) ?? wrong(name, `one of ${allowed.join(', ')}`),
    sha256: (name) => readSha256(get(name)) ?? wrong(name, 'a SHA-256 in lower-case hex'),
    integer: (name, max) => readInteger(get(name), max) ?? wrong(name, `an integer in 0…${max}`),
    decimal: (name, min = 0n) => readDecimal(get(name), min) ?? wrong(name, 'a decimal string of at most 64 bits'),
    flag: (name) => flag(name) ?? wrong(name, 'true or false'),
    flagOrInteger: (name) =>
      flag(name) ?? readInteger(get(name), Number.MAX_SAFE_INTEGER) ?? wrong(name, 'true, false or an integer'),
    object: nested,
    objectOrNull: (name) => (get(name) === null ? null : nested(name)),
    optionalObject: (name) => (get(name) === undefined ? undefined : nested(name)),
    list: (name) => {
      const value = get(name);
      return Array.isArray(value) ? (value as readonly unknown[]) : wrong(name, 'a list');
    },
    names: () => Object.keys(object),
  };
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const readSha256 = (value: unknown): string | null =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : null;

export const readInteger = (value: unknown, max: number): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max ? value : null;

/** The canonical decimal form only: no plus, no leading zero, no `-0`. */
export const readDecimal = (value: unknown, min = 0n): bigint | null => {
  if (typeof value !== 'string' || !/^(?:0|-?[1-9]\d{0,18})$/.test(value)) return null;
  const number = BigInt(value);
  return number >= min && number <= maxInt64 ? number : null;
};
