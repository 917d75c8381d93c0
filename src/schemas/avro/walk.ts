import { isUtf8 } from 'node:buffer';
import type { Type } from 'avsc';
import {
  advance,
  enter,
  fail,
  Fault,
  letGo,
  newCursor,
  readCount,
  readLong,
  spend,
  startAt,
  type Cursor,
} from './cursor.ts';
import { partOf, partsOf } from './parts.ts';

/**
 * Reads Avro strictly, from the schema and the bytes alone, before avsc may: avsc believes every count of items
 * (billions of them, of no bytes each), goes backwards for negative lengths, and looks at the end of the bytes only when
 * it is through. Time and memory grow no faster than the bytes.
 */
export type Walk = {
  /** What is wrong with the bytes from `from` on; null if they are one value of the schema, to the last byte. */
  fault(bytes: Buffer, from: number, checksText: boolean): string | null;
  /** How deep records, maps and lists nested in the bytes walked last. */
  depth(): number;
};

type Step = (cursor: Cursor) => void;

export const walkOf = (type: Type): Walk => {
  const step = stepOf(type, new Map());
  const cursor = newCursor();
  return {
    fault: (bytes, from, checksText) => {
      startAt(cursor, bytes, from);
      cursor.checksText = checksText;
      try {
        step(cursor);
        return cursor.at === bytes.length ? null : 'more bytes follow';
      } catch (error) {
        if (error instanceof Fault) return error.message;
        throw error;
      } finally {
        letGo(cursor);
      }
    },
    depth: () => cursor.depth,
  };
};

/** Memoised, for a record may hold itself. */
const stepOf = (type: Type, known: Map<Type, Step>): Step => {
  const made = known.get(type);
  if (made !== undefined) return made;
  let step: Step | null = null;
  known.set(type, (cursor) => step?.(cursor));
  step = makeStep(type, known);
  known.set(type, step);
  return step;
};

const makeStep = (type: Type, known: Map<Type, Step>): Step => {
  const parts = partsOf(type);
  switch (type.typeName) {
    case 'null':
      return () => undefined;
    case 'boolean':
      return (cursor) => {
        const byte = cursor.bytes[cursor.at++];
        if (byte !== 0 && byte !== 1) fail('a boolean is neither 0 nor 1');
      };
    case 'int':
    case 'long':
      return (cursor) => void readLong(cursor);
    case 'float':
      return (cursor) => advance(cursor, 4);
    case 'double':
      return (cursor) => advance(cursor, 8);
    case 'bytes':
      return (cursor) => advance(cursor, readLong(cursor));
    case 'string':
      return readText;
    case 'fixed':
      return (cursor) => advance(cursor, parts.size ?? 0);
    case 'enum':
      return (cursor) => {
        const index = readLong(cursor);
        if (index < 0 || index >= (parts.symbols?.length ?? 0)) fail('an enum has no such symbol');
      };
    case 'array':
      return blocksOf(stepOf(partOf(parts.itemsType), known));
    case 'map':
      return entriesOf(stepOf(partOf(parts.valuesType), known));
    case 'record':
    case 'error':
      return recordOf((parts.fields ?? []).map((field) => stepOf(field.type, known)));
    case 'union:wrapped':
    case 'union:unwrapped':
      return unionOf((parts.types ?? []).map((branch) => stepOf(branch, known)));
    default:
      if (parts.underlyingType !== undefined) return stepOf(parts.underlyingType, known);
      throw new Error(`no step for ${type.typeName}`);
  }
};

const readText = (cursor: Cursor): void => {
  const length = readLong(cursor);
  const from = cursor.at;
  advance(cursor, length);
  if (cursor.checksText && !isUtf8(cursor.bytes.subarray(from, cursor.at))) fail('a text is not well-formed UTF-8');
};

/** avsc would lose the entry, and set the prototype of the map to it. */
const forbiddenKey = Buffer.from('__proto__');

const readKey = (cursor: Cursor): void => {
  const length = readLong(cursor);
  const from = cursor.at;
  advance(cursor, length);
  if (length === forbiddenKey.length && forbiddenKey.equals(cursor.bytes.subarray(from, cursor.at))) {
    fail('a map has the key __proto__');
  }
  if (cursor.checksText && !isUtf8(cursor.bytes.subarray(from, cursor.at))) fail('a text is not well-formed UTF-8');
};

const recordOf =
  (fields: readonly Step[]): Step =>
  (cursor) => {
    enter(cursor);
    spend(cursor, fields.length);
    for (const field of fields) field(cursor);
    cursor.level--;
  };

const unionOf =
  (branches: readonly Step[]): Step =>
  (cursor) => {
    const branch = branches[readLong(cursor)];
    if (branch === undefined) fail('a union has no such branch');
    else branch(cursor);
  };

const blocksOf =
  (item: Step): Step =>
  (cursor) => {
    enter(cursor);
    for (let count = readCount(cursor); count !== 0; count = readCount(cursor)) {
      for (let index = 0; index < count; index++) item(cursor);
    }
    cursor.level--;
  };

const entriesOf = (value: Step): Step =>
  blocksOf((cursor) => {
    readKey(cursor);
    value(cursor);
  });
