import { isUtf8 } from 'node:buffer';
import type { Type } from 'avsc';
import { scanJson } from '../json/scan.ts';
import { advance, enter, Fault, letGo, newCursor, readCount, readLong, spend, startAt, type Cursor } from './cursor.ts';
import {
  encloseFrom,
  giveUp,
  put,
  putAscii,
  putJson,
  putKey,
  putUtf8,
  room,
  startWriting,
  stopWriting,
  unusual,
  writtenFrom,
  writtenTo,
} from './json-slab.ts';
import { builderOf } from './record-builder.ts';
import { partsOf } from './parts.ts';

/** An event in Avro and its JSON. */
export type DirectEvent = {
  readonly kind: 'event';
  readonly event: Readonly<Record<string, unknown>>;
  /** Its members; some may be null. */
  readonly names: readonly string[];
  readonly json: Buffer;
  /** How deep it nests. */
  readonly depth: number;
};

/**
 * Reads an event and writes its JSON in one pass over the bytes, as strictly as walk.ts. Null: something about it is
 * wrong or unusual, and the long way has to tell.
 */
export type DirectReader = (value: Buffer, from: number) => DirectEvent | null;

/**
 * Null for a schema that has more than records, lists, maps of text, text, numbers, yes-no and what may be null. What
 * it reads is what avsc, plain.ts and json-writer.ts make of the same bytes.
 */
export const directReader = (type: Type, documents: readonly string[]): DirectReader | null => {
  let read: Step;
  try {
    read = rootOf(type, new Set(documents));
  } catch (error) {
    if (error === unusual) return null;
    throw error;
  }
  const cursor = newCursor();
  return (value, from) => {
    if (value.length > maxValueBytes) return null;
    startAt(cursor, value, from);
    const begin = startWriting(value, from);
    documentDepth = 0;
    try {
      const event = read(cursor) as Readonly<Record<string, unknown>>;
      if (cursor.at !== value.length) return null;
      const depth = Math.max(cursor.depth, documentDepth);
      return { kind: 'event', event, names: Object.keys(event), json: writtenFrom(begin), depth };
    } catch (error) {
      if (error === unusual || error instanceof Fault || error instanceof SyntaxError) return null;
      throw error;
    } finally {
      letGo(cursor);
      stopWriting();
    }
  };
};

/** Larger ones are few, and not slow for their names. */
const maxValueBytes = 8_192;
/** Reads a value, writes its JSON to `out`, returns it. */
type Step = (cursor: Cursor) => unknown;

const rootOf = (type: Type, documents: ReadonlySet<string>): Step => {
  const { fields } = partsOf(type);
  if (fields === undefined) return giveUp();
  return recordOf(fields, (field) =>
    field.name === 'event_data' ? dataOf(field.type, documents) : stepOf(field.type, 1),
  );
};

/** Free objects of the payload travel as text. */
const dataOf = (type: Type, documents: ReadonlySet<string>): Step => {
  const { fields } = partsOf(type);
  if (fields === undefined) return giveUp();
  return recordOf(fields, (field) => {
    const step = stepOf(field.type, 2);
    return documents.has(field.name) && field.type.typeName === 'string' ? readDocument : step;
  });
};

/** Deeper schemas, and those that hold themselves. */
const maxLevels = 16;

const stepOf = (type: Type, level: number): Step => {
  const { fields, itemsType, valuesType } = partsOf(type);
  if (level > maxLevels) return giveUp();
  switch (type.typeName) {
    case 'string':
      return readText;
    case 'int':
      return readInt;
    case 'long':
      return readNumber;
    case 'double':
      return readDouble;
    case 'boolean':
      return readBoolean;
    case 'record':
      return recordOf(fields ?? [], (field) => stepOf(field.type, level + 1));
    case 'array':
      return itemsType === undefined ? giveUp() : listOf(stepOf(itemsType, level + 1));
    case 'map':
      return valuesType?.typeName === 'string' ? readTexts : giveUp();
    default:
      return giveUp();
  }
};

const readText = (cursor: Cursor): string => {
  const length = readLong(cursor);
  const from = cursor.at;
  advance(cursor, length);
  return putUtf8(cursor.bytes, from, cursor.at);
};

const maxDocumentDepth = 100;
/** How deep free objects of the payload nest, counted from the whole event. */
let documentDepth = 0;

const readDocument = (cursor: Cursor): unknown => {
  const length = readLong(cursor);
  const from = cursor.at;
  advance(cursor, length);
  const bytes = cursor.bytes.subarray(from, cursor.at);
  const scan = scanJson(bytes);
  if (scan.depth > maxDocumentDepth || scan.loneSurrogate || !isUtf8(bytes)) giveUp();
  const value: unknown = JSON.parse(bytes.toString());
  documentDepth = Math.max(documentDepth, 2 + scan.depth);
  putJson(JSON.stringify(value));
  return value;
};

const readNumber = (cursor: Cursor): number => {
  const value = readLong(cursor);
  // Near the end of the exact ones avsc decides.
  if (!(Math.abs(value) < 2 ** 52)) giveUp();
  putAscii(String(value));
  return value;
};

const readInt = (cursor: Cursor): number => {
  const value = readNumber(cursor);
  return value === (value | 0) ? value : giveUp();
};

const readDouble = (cursor: Cursor): number => {
  const from = cursor.at;
  advance(cursor, 8);
  const value = cursor.bytes.readDoubleLE(from);
  if (!Number.isFinite(value)) giveUp();
  putAscii(String(value));
  return value;
};

const readBoolean = (cursor: Cursor): boolean => {
  const byte = cursor.bytes[cursor.at++];
  if (byte !== 0 && byte !== 1) giveUp();
  putAscii(byte === 1 ? 'true' : 'false');
  return byte === 1;
};

type Field = {
  readonly name: string;
  /** A comma, the name and a colon. */
  readonly key: Buffer;
  /** The byte that says that it is absent, and the one that says that it is there; -1: it must be there. */
  readonly absent: number;
  readonly present: number;
  readonly read: Step;
};

type FieldOf = { readonly name: string; readonly type: Type };

const fieldOf = ({ name, type }: FieldOf, stepFor: (field: FieldOf) => Step): Field => {
  if (name === '__proto__') giveUp();
  const key = Buffer.from(`,${JSON.stringify(name)}:`);
  const { types } = partsOf(type);
  if (types === undefined) return { name, key, absent: -1, present: -1, read: stepFor({ name, type }) };
  const absent = types.findIndex((one) => one.typeName === 'null');
  const inner = types[1 - absent];
  if (types.length !== 2 || absent === -1 || inner === undefined) return giveUp();
  // Zig-zag of 0 and 1.
  return { name, key, absent: 2 * absent, present: 2 * (1 - absent), read: stepFor({ name, type: inner }) };
};

const recordOf = (given: readonly FieldOf[], stepFor: (field: FieldOf) => Step): Step => {
  const fields = given.map((field) => fieldOf(field, stepFor));
  const build = builderOf(given.map(({ name }) => name)) ?? giveUp();
  const values: unknown[] = fields.map(() => null);
  return (cursor) => {
    enter(cursor);
    spend(cursor, fields.length);
    const begin = writtenTo();
    let present = 0;
    let at = -1;
    for (const field of fields) {
      at++;
      present <<= 1;
      if (field.absent !== -1) {
        const branch = cursor.bytes[cursor.at++];
        if (branch === field.absent) continue;
        if (branch !== field.present) giveUp();
      }
      present |= 1;
      putKey(field.key);
      values[at] = field.read(cursor);
    }
    encloseFrom(begin, 0x7b, 0x7d);
    cursor.level--;
    return build(present, values);
  };
};

const listOf =
  (item: Step): Step =>
  (cursor) => {
    enter(cursor);
    const made: unknown[] = [];
    const begin = writtenTo();
    for (let count = readCount(cursor); count !== 0; count = readCount(cursor)) {
      for (let index = 0; index < count; index++) {
        room(1);
        put(0x2c);
        made.push(item(cursor));
      }
    }
    encloseFrom(begin, 0x5b, 0x5d);
    cursor.level--;
    return made;
  };

/** Keys that JavaScript would put in another order, or that stand twice, are for others. */
const isIndex = /^\d/;

const readTexts = (cursor: Cursor): unknown => {
  enter(cursor);
  const made: Record<string, string> = {};
  const begin = writtenTo();
  for (let count = readCount(cursor); count !== 0; count = readCount(cursor)) {
    for (let index = 0; index < count; index++) {
      room(2);
      put(0x2c);
      const key = readText(cursor);
      if (key === '__proto__' || isIndex.test(key) || Object.hasOwn(made, key)) giveUp();
      put(0x3a);
      made[key] = readText(cursor);
    }
  }
  encloseFrom(begin, 0x7b, 0x7d);
  cursor.level--;
  return made;
};
