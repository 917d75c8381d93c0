import avsc, { type Schema, type Type } from 'avsc';
import { avroSchemaOf } from '../catalogue/avro-schema.ts';
import { eventTypeOf } from '../catalogue/services.ts';

type Resolver = ReturnType<Type['createResolver']>;
type Record_ = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly fields: readonly FieldSchema[];
};
type FieldSchema = { readonly name: string; readonly aliases?: readonly string[]; readonly type: unknown };

/** Records without methods: enumerating what inherits enumerable methods is slow. New each time: avsc keeps its names in it. */
export const avroOptions = () => ({ omitRecordMethods: true });

/** With what a writer's records are read: its own type, or the catalogue's and how to come there. */
export type Reading = { readonly type: Type; readonly resolver: Resolver | undefined };

/**
 * The catalogue's type for records of this writer, so that what was renamed since has its present name, and what is new
 * its default; with all fields of the writer that the catalogue does not have, for nothing that was written may be lost.
 * The writer's own type where the catalogue has none of this name, or cannot read it: then the check of the payload judges.
 */
export const readingOf = (writer: Type): Reading => {
  const known = writer.name === undefined ? undefined : eventTypeOf(writer.name);
  if (known === undefined) return { type: writer, resolver: undefined };
  try {
    const own = writer.schema({ exportAttrs: true }) as unknown as Record_;
    const schema = widened(avroSchemaOf(known) as Record_, own) as Schema;
    const reader = avsc.Type.forSchema(schema, avroOptions());
    if (reader.equals(writer)) return { type: writer, resolver: undefined };
    return { type: reader, resolver: reader.createResolver(writer) };
  } catch {
    return { type: writer, resolver: undefined };
  }
};

/** The reader's record with the fields that only the writer has, in the payload as well; called what the writer calls it. */
const widened = (reader: Record_, writer: Record_): Record_ => {
  const read = (name: string) =>
    reader.fields.find((field) => field.name === name || field.aliases?.includes(name) === true);
  const fields = reader.fields.map((field) => {
    const inner = recordOf(field.type);
    const written = recordOf(writer.fields.find(({ name }) => name === field.name)?.type);
    return inner === null || written === null ? field : { ...field, type: widened(inner, written) };
  });
  const aliases = [...(reader.aliases ?? []), writer.name].filter((name) => name !== reader.name);
  return {
    ...reader,
    aliases: [...new Set(aliases)],
    fields: [...fields, ...writer.fields.filter(({ name }) => read(name) === undefined)],
  };
};

const recordOf = (type: unknown): Record_ | null =>
  typeof type === 'object' && type !== null && 'fields' in type ? (type as Record_) : null;
