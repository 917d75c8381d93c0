import type { SchemaFormat, SchemaRow, SchemasOptions } from '../cli/commands.ts';
import type { Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import { avroProblems } from '../schemas/avro/compatible.ts';
import { avroSchemaOf } from '../schemas/catalogue/avro-schema.ts';
import { jsonSchemaOf } from '../schemas/catalogue/json-schema.ts';
import { eventTypeOf, eventTypes } from '../schemas/catalogue/services.ts';
import type { RegistryClient, SchemaFormat as RegistryFormat } from '../schemas/registry/client.ts';
import { subjectOf } from '../schemas/registry/encoder.ts';
import { requireRegistry } from './registry.ts';

/** `immutrail schemas print`. */
export const schemaOf = (type: string, format: SchemaFormat): object => {
  const known = eventTypeOf(type);
  if (known === undefined) throw new PipelineError('USAGE', `${type} is no event type of docs/events.md`);
  return format === 'avro' ? (avroSchemaOf(known) as object) : jsonSchemaOf(known);
};

/** `immutrail schemas check` and `publish`: nothing is registered unless every schema could be. */
export const schemas = async (config: Config, { act, format }: SchemasOptions): Promise<readonly SchemaRow[]> => {
  const registry = requireRegistry(config);
  const rows: SchemaRow[] = [];
  for (const type of eventTypes.keys()) {
    rows.push(await check(registry, subjectOf(config.kafka.topic, type, format), type, format));
  }
  if (act === 'check' || rows.some(({ problems }) => problems.length > 0)) return rows;
  const published: SchemaRow[] = [];
  for (const row of rows) {
    const text = JSON.stringify(schemaOf(row.type, format));
    published.push({ ...row, id: await registry.register(row.subject, registryFormat(format), text) });
  }
  return published;
};

const registryFormat = (format: SchemaFormat): RegistryFormat => (format === 'avro' ? 'AVRO' : 'JSON');

/** What the registry says, and for Avro also what avsc says: development registries say yes to everything. */
const check = async (
  registry: RegistryClient,
  subject: string,
  type: string,
  format: SchemaFormat,
): Promise<SchemaRow> => {
  const text = JSON.stringify(schemaOf(type, format));
  const latest = await registry.latest(subject);
  if (latest === null) return { subject, type, id: null, problems: [] };
  const told = await registry.incompatibilities(subject, registryFormat(format), text);
  const found = format === 'avro' ? avroProblems(text, latest.schema) : [];
  return { subject, type, id: isSame(latest.schema, text) ? latest.id : null, problems: [...told, ...found] };
};

const isSame = (one: string, other: string): boolean =>
  one === other || JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
