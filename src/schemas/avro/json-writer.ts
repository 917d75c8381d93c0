import type { Type } from 'avsc';
import { partsOf, type Parts } from './parts.ts';

/** Writes as JSON what plain.ts made of a value that avsc decoded. */
export type JsonWriter = (value: unknown) => string;

/**
 * Of a type, made once. Null members of records are left out: null is how Avro says that a field is absent. Knowing the
 * names, it need not make a copy without them for JSON.stringify, which writes all else.
 */
export const jsonWriterOf = (type: Type): JsonWriter => toWriter(type, new Map());

const toWriter = (type: Type, known: Map<Type, JsonWriter>): JsonWriter => {
  const made = known.get(type);
  if (made !== undefined) return made;
  let writer: JsonWriter = any;
  // For a record that holds itself.
  known.set(type, (value) => writer(value));
  writer = makeWriter(type, known);
  known.set(type, writer);
  return writer;
};

const makeWriter = (type: Type, known: Map<Type, JsonWriter>): JsonWriter => {
  const { fields, types, itemsType, valuesType } = partsOf(type);
  const name = type.typeName;
  if (fields !== undefined) return record(fields, known);
  if (types !== undefined) return union(types, known);
  if (itemsType !== undefined) return list(toWriter(itemsType, known));
  if (valuesType !== undefined) return map(toWriter(valuesType, known));
  return name === 'string' || name === 'enum' ? text : any;
};

const any: JsonWriter = (value) => JSON.stringify(value);

/** What JSON must escape; UTF-8 has no lone surrogates. */
const escaped = /["\\\u0000-\u001f]/;

/** A free JSON object that travelled as text has been opened by now. */
const text: JsonWriter = (value) =>
  typeof value === 'string' && !escaped.test(value) ? `"${value}"` : JSON.stringify(value);

const record = (fields: NonNullable<Parts['fields']>, known: Map<Type, JsonWriter>): JsonWriter => {
  const members = fields.map(({ name, type }) => ({
    name,
    key: `${JSON.stringify(name)}:`,
    write: toWriter(type, known),
  }));
  return (value) => {
    let out = '';
    for (const { name, key, write } of members) {
      const inner = (value as Readonly<Record<string, unknown>>)[name];
      if (inner === null || inner === undefined) continue;
      out += (out === '' ? key : `,${key}`) + write(inner);
    }
    return `{${out}}`;
  };
};

const union = (types: readonly Type[], known: Map<Type, JsonWriter>): JsonWriter => {
  const [only, ...others] = types.filter((type) => type.typeName !== 'null');
  if (only === undefined || others.length > 0) return any;
  const write = toWriter(only, known);
  return (value) => (value === null ? 'null' : write(value));
};

const list =
  (write: JsonWriter): JsonWriter =>
  (value) =>
    `[${(value as readonly unknown[]).map(write).join(',')}]`;

const map =
  (write: JsonWriter): JsonWriter =>
  (value) => {
    let out = '';
    for (const [name, inner] of Object.entries(value as object))
      out += `${out === '' ? '' : ','}${text(name)}:${write(inner)}`;
    return `{${out}}`;
  };
