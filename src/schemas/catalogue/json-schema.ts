import { envelope } from './envelope.ts';
import type { EventType } from './service.ts';
import type { Fields, Form, Shape } from './shape.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * JSON Schema (draft 7) of a whole event of this type: the envelope, and its payload. Like the check, it leaves unknown
 * fields alone, and takes null for an optional field that is absent.
 */
export const jsonSchemaOf = ({ type, says, was = [], payload }: EventType): JsonSchema => {
  const types = [type, ...was];
  const whole = fieldsSchema(envelope);
  const repeated = { type: 'object', properties: { event_type: { enum: [...types, null] } } };
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: type,
    description: says,
    ...whole,
    properties: {
      ...(whole['properties'] as object),
      event_type: { enum: types },
      event_data: { allOf: [schemaOf(payload), repeated] },
    },
  };
};

const schemaOf = (shape: Shape): JsonSchema => formSchema(shape);

const formSchema = (shape: Form): JsonSchema => {
  switch (shape.kind) {
    case 'text':
      return {
        type: 'string',
        ...(shape.min > 0 && { minLength: shape.min }),
        maxLength: shape.max,
        ...(shape.form && { pattern: shape.form.pattern.source }),
      };
    case 'one-of':
      return { type: 'string', enum: shape.values };
    case 'whole':
      return { type: 'integer', minimum: shape.min, maximum: shape.max };
    case 'fraction':
      return { type: 'number', minimum: shape.min, maximum: shape.max };
    case 'yes-no':
      return { type: 'boolean' };
    case 'text-map':
      return { type: 'object', maxProperties: shape.max, additionalProperties: formSchema(shape.values) };
    case 'list':
      return { type: 'array', maxItems: shape.max, items: formSchema(shape.items) };
    case 'document':
      return { type: 'object' };
    case 'fields':
      return fieldsSchema(shape);
  }
};

const fieldsSchema = ({ required, optional }: Fields): JsonSchema => {
  const names = Object.keys(required);
  const must = Object.entries(required).map(([name, shape]) => [name, schemaOf(shape)]);
  const may = Object.entries(optional).map(([name, shape]) => [name, orNull(schemaOf(shape))]);
  return {
    type: 'object',
    ...(names.length > 0 && { required: names }),
    properties: Object.fromEntries([...must, ...may]) as JsonSchema,
  };
};

const orNull = (schema: JsonSchema): JsonSchema => ({
  ...schema,
  type: [schema['type'], 'null'],
  ...(Array.isArray(schema['enum']) && { enum: [...(schema['enum'] as unknown[]), null] }),
});
