import { maxInt64 } from './digits.ts';
import { refuse } from './invalid.ts';
import { isObject } from '../../../schemas/json/object.ts';

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
  return new ObjectMembers(key, object, path);
};

/** A class, since an audit reads one for every event: closures would be most of what it allocates. */
class ObjectMembers implements Members {
  readonly #key: string;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(key: string, object: Readonly<Record<string, unknown>>, path: string) {
    this.#key = key;
    this.#object = object;
    this.#path = path;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  isNull(name: string): boolean {
    return this.#get(name) === null;
  }

  text(name: string): string {
    const value = this.#get(name);
    return typeof value === 'string' && value.isWellFormed() ? value : this.#wrong(name, 'well-formed text');
  }

  optionalText(name: string): string | undefined {
    return this.#get(name) === undefined ? undefined : this.text(name);
  }

  oneOf<const T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.#get(name);
    return allowed.find((one) => one === value) ?? this.#wrong(name, `one of ${allowed.join(', ')}`);
  }

  sha256(name: string): string {
    return readSha256(this.#get(name)) ?? this.#wrong(name, 'a SHA-256 in lower-case hex');
  }

  integer(name: string, max: number): number {
    return readInteger(this.#get(name), max) ?? this.#wrong(name, `an integer in 0…${max}`);
  }

  decimal(name: string, min = 0n): bigint {
    return readDecimal(this.#get(name), min) ?? this.#wrong(name, 'a decimal string of at most 64 bits');
  }

  flag(name: string): boolean {
    const value = this.#get(name);
    return typeof value === 'boolean' ? value : this.#wrong(name, 'true or false');
  }

  flagOrInteger(name: string): boolean | number {
    const value = this.#get(name);
    if (typeof value === 'boolean') return value;
    return readInteger(value, Number.MAX_SAFE_INTEGER) ?? this.#wrong(name, 'true, false or an integer');
  }

  object(name: string): Members {
    return membersOf(this.#key, this.#get(name), `${this.#path}${name}.`);
  }

  objectOrNull(name: string): Members | null {
    return this.isNull(name) ? null : this.object(name);
  }

  optionalObject(name: string): Members | undefined {
    return this.#get(name) === undefined ? undefined : this.object(name);
  }

  list(name: string): readonly unknown[] {
    const value = this.#get(name);
    return Array.isArray(value) ? (value as readonly unknown[]) : this.#wrong(name, 'a list');
  }

  names(): readonly string[] {
    return Object.keys(this.#object);
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  #wrong(name: string, expected: string): never {
    return refuse(this.#key, `${this.#path}${name} is not ${expected}`);
  }
}

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
