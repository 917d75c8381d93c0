import { expect } from '@jest/globals';
import avsc, { type Schema } from 'avsc';
import { poisons } from '../../src/producers/poison.ts';
import { seededRandom } from '../../src/producers/random.ts';
import { story } from '../../src/producers/story/story.ts';
import { avroSchemaOf } from '../../src/schemas/catalogue/avro-schema.ts';
import { documentFieldsOf, eventTypes } from '../../src/schemas/catalogue/services.ts';
import { decodeTheLongWay } from '../../src/schemas/decode.ts';
import { readDirectly } from '../../src/schemas/json/direct.ts';
import { payloadRule } from '../../src/schemas/payload-rule.ts';
import type { FetchedSchema } from '../../src/schemas/registry/client.ts';
import { registryDecoder } from '../../src/schemas/registry/decoder.ts';
import { rejectionTable } from '../../src/schemas/rejection.ts';
import { mutated } from './mutations.ts';

/** Schemas that somebody registered to hurt readers, and sound ones; ids above are unknown. */
const hostileSchemas: readonly unknown[] = [
  { type: 'array', items: 'null' },
  { type: 'record', name: 'Node', fields: [{ name: 'next', type: ['null', 'Node'] }] },
  { type: 'record', name: 'Empty', fields: [] },
  { type: 'map', values: { type: 'array', items: { type: 'record', name: 'Leaf', fields: [] } } },
  {
    type: 'record',
    name: 'Event',
    fields: [{ name: 'event_data', type: { type: 'map', values: ['null', 'double', 'bytes'] } }],
  },
  'bytes',
];
const known = [...eventTypes.values()].map((type) => avsc.Type.forSchema(avroSchemaOf(type) as Schema));
const schemas: readonly FetchedSchema[] = [
  ...[...known, ...hostileSchemas.map((schema) => avsc.Type.forSchema(schema as Schema))].map(
    (type): FetchedSchema => ({ kind: 'avro', type }),
  ),
  { kind: 'json' },
  { kind: 'unusable', why: 'odd' },
];

const frame = (id: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
};

const corpusOf = (): [Buffer, ...Buffer[]] => {
  const events = Array.from({ length: 6 }, (_, seed) => story(seededRandom(seed), Date.UTC(2026, 2, 2))).flat();
  const ids = [...eventTypes.keys()];
  const json = events.map((event) => Buffer.from(JSON.stringify(event)));
  const avro = events.map((event) => {
    const data: Record<string, unknown> = { ...event.event_data };
    for (const name of documentFieldsOf(event.event_type)) if (name in data) data[name] = JSON.stringify(data[name]);
    const at = ids.indexOf(event.event_type);
    return frame(at + 1, known[at]!.toBuffer({ ...event, event_data: data }));
  });
  const framed = json.slice(0, 20).map((value) => frame(schemas.length - 1, value));
  const hostile = hostileSchemas.map((_, index) => frame(known.length + index + 1, Buffer.alloc(300, 2)));
  const poison = poisons.flatMap(({ spoil }) => spoil(events[0]!) ?? []).filter(({ length }) => length < 10_000);
  return [Buffer.alloc(0), ...json, ...avro, ...framed, ...hostile, ...poison];
};

const judge = payloadRule('enforce');

/** What is read directly the long way reads as well. */
const expectSameTheLongWay = (value: Buffer) => {
  const facts = readDirectly(value);
  if (facts !== null) expect(decodeTheLongWay(value, judge)).toEqual({ accepted: true, facts, json: value });
};

export type Decoding = {
  readonly accepted: number;
  readonly codes: ReadonlyMap<string, number>;
  readonly slowestMs: number;
};

/** Decodes so many mutated records: none may throw, each rejection has its code, what is accepted is an event. */
export const decodeMutated = async (count: number, seed: number): Promise<Decoding> => {
  const corpus = corpusOf();
  const random = seededRandom(seed);
  const decoder = registryDecoder({
    registry: { fetch: (id) => Promise.resolve(schemas[id - 1] ?? { kind: 'unknown' }) },
    judge,
  });
  const codes = new Map<string, number>();
  let accepted = 0;
  let slowestMs = 0;
  for (let left = count; left > 0; left--) {
    const value = mutated(random, corpus);
    await decoder.prepare([value]);
    const began = performance.now();
    const decoded = decoder.decode(value);
    slowestMs = Math.max(slowestMs, performance.now() - began);
    expectSameTheLongWay(value);
    if (decoded.accepted) {
      accepted++;
      const stored = JSON.parse(`{"v":1,"event":${decoded.json.toString()}}`) as { event: { correlation_id: string } };
      expect(stored.event.correlation_id).toBe(decoded.facts.correlationId);
    } else {
      if (!Object.hasOwn(rejectionTable, decoded.code)) throw new Error(`no such code: ${decoded.code}`);
      codes.set(decoded.code, (codes.get(decoded.code) ?? 0) + 1);
    }
  }
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['accepted']).toBeUndefined();
  return { accepted, codes, slowestMs };
};
