import { envelope } from './envelope.ts';
import type { EventType } from './service.ts';
import type { Fields, Form, Shape } from './shape.ts';

export type AvroSchema = string | readonly AvroSchema[] | Readonly<Record<string, unknown>>;

/**
 * Avro of a whole event of this type, a record whose full name is the type; old names are its aliases. What may be
 * absent is a union with null, null first. Closed lists of words are strings, so that a new word does not lock older
 * readers out, and a free JSON object is a string that holds its text: bounds and words are held by the check.
 */
export const avroSchemaOf = ({ type, says, was = [], payload }: EventType): AvroSchema => {
  const at = type.lastIndexOf('.');
  return {
    type: 'record',
    name: type.slice(at + 1),
    namespace: type.slice(0, at),
    doc: says,
    ...(was.length > 0 && { aliases: was }),
    fields: fieldsOf(envelope, type, { event_data: payload }),
  };
};

const pascal = (name: string): string =>
  name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** `namespace` keeps the records within one event apart from those of others. */
const fieldsOf = (shape: Fields, namespace: string, instead: Readonly<Record<string, Shape>> = {}): AvroSchema[] => {
  const must = Object.entries(shape.required).map(([name, inner]) => ({
    name,
    type: schemaOf(instead[name] ?? inner, name, namespace),
  }));
  const may = Object.entries(shape.optional).map(([name, inner]) => ({
    name,
    type: ['null', schemaOf(inner, name, namespace)],
    default: null,
  }));
  const repeated = namespace.endsWith('.EventData')
    ? [{ name: 'event_type', type: ['null', 'string'], default: null }]
    : [];
  return [...repeated, ...must, ...may];
};

const schemaOf = (shape: Form, name: string, namespace: string): AvroSchema => {
  switch (shape.kind) {
    case 'text':
    case 'one-of':
      return 'string';
    case 'whole':
      return 'long';
    case 'fraction':
      return 'double';
    case 'yes-no':
      return 'boolean';
    case 'text-map':
      return { type: 'map', values: 'string' };
    case 'list':
      return { type: 'array', items: 'string' };
    case 'document':
      return 'string';
    case 'fields': {
      const inner = `${namespace}.${pascal(name)}`;
      return { type: 'record', name: pascal(name), namespace, fields: fieldsOf(shape, inner) };
    }
  }
};
