import avsc, { type Schema, type Type } from 'avsc';
import { avroOptions } from '../avro/reader-type.ts';
import { avroSchemaOf } from '../catalogue/avro-schema.ts';
import { jsonSchemaOf } from '../catalogue/json-schema.ts';
import type { EventType } from '../catalogue/service.ts';
import { documentFieldsOf, eventTypes } from '../catalogue/services.ts';
import type { RegistryClient } from './client.ts';

type Event = { readonly event_type: string; readonly event_data: Readonly<Record<string, unknown>> };

/** Makes the value of an event's record. Types that the catalogue does not have stay plain JSON, as any record may be. */
export type Encoder = (event: Event, json: Buffer) => Promise<Buffer>;

export type EncoderOptions = {
  readonly registry: Pick<RegistryClient, 'register'>;
  readonly topic: string;
  readonly format: 'avro' | 'json';
};

type Ready = { readonly head: Buffer; readonly type: Type | null };

/** Under one subject one format only: JSON Schemas have their own. */
export const subjectOf = (topic: string, type: string, format: 'avro' | 'json'): string =>
  `${topic}-${type}${format === 'json' ? '.json' : ''}`;

/** Registers each schema once, when it is first needed; a failure is asked again with the next event. */
export const registryEncoder = ({ registry, topic, format }: EncoderOptions): Encoder => {
  const ready = new Map<string, Promise<Ready>>();
  const prepare = async (known: EventType): Promise<Ready> => {
    const isAvro = format === 'avro';
    const schema = isAvro ? avroSchemaOf(known) : jsonSchemaOf(known);
    const subject = subjectOf(topic, known.type, format);
    const id = await registry.register(subject, isAvro ? 'AVRO' : 'JSON', JSON.stringify(schema));
    const head = Buffer.alloc(5);
    head.writeInt32BE(id, 1);
    return { head, type: isAvro ? avsc.Type.forSchema(schema as Schema, avroOptions()) : null };
  };
  return async (event, json) => {
    const known = eventTypes.get(event.event_type);
    if (known === undefined) return json;
    let made = ready.get(known.type);
    if (made === undefined) {
      made = prepare(known);
      ready.set(known.type, made);
      made.catch(() => ready.delete(known.type));
    }
    const { head, type } = await made;
    if (type === null) return Buffer.concat([head, json]);
    const whole = withTextDocuments(event, json);
    const bytes = type.toBuffer(whole);
    // avsc leaves fields out that the schema does not have: such an event goes as JSON, which has room for them.
    const isWhole = memberCount(type.fromBuffer(bytes)) === memberCount(whole);
    return isWhole ? Buffer.concat([head, bytes]) : json;
  };
};

/** As JSON has it, undefined left out; free objects of the payload travel as text. */
const withTextDocuments = ({ event_type }: Event, json: Buffer): unknown => {
  const event = JSON.parse(json.toString()) as { event_data: Record<string, unknown> };
  for (const name of documentFieldsOf(event_type)) {
    const inner = event.event_data[name];
    if (inner !== undefined && inner !== null) event.event_data[name] = JSON.stringify(inner);
  }
  return event;
};

/** Members of all objects in the value that are not null, as what is absent is in Avro. */
const memberCount = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return 0;
  const children = Object.values(value).filter((child) => child !== null && child !== undefined);
  return children.reduce<number>((sum, child) => sum + memberCount(child), children.length);
};
