import { describe, expect, test } from '@jest/globals';
import { Type, type Schema } from 'avsc';
import { PipelineError } from '../../../../src/errors.ts';
import { avroSchemaOf } from '../../../../src/schemas/catalogue/avro-schema.ts';
import { eventTypeOf } from '../../../../src/schemas/catalogue/services.ts';
import { payloadRule } from '../../../../src/schemas/payload-rule.ts';
import type { FetchedSchema } from '../../../../src/schemas/registry/client.ts';
import { plainDecoder, registryDecoder } from '../../../../src/schemas/registry/decoder.ts';
import { asBytes, auditEvent } from '../../../fixtures/audit-event.ts';

const type = Type.forSchema(avroSchemaOf(eventTypeOf('gateway.signal.received')!) as Schema);
const framed = (id: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
};

const setUp = (schemas: Readonly<Record<number, FetchedSchema>>, maxSchemas?: number) => {
  const asked: number[] = [];
  const time = { ms: 0 };
  const state = { isDown: false };
  const decoder = registryDecoder({
    registry: {
      fetch: (id) => {
        asked.push(id);
        if (state.isDown) return Promise.reject(new PipelineError('REGISTRY_UNAVAILABLE', 'down'));
        return Promise.resolve(schemas[id] ?? { kind: 'unknown' });
      },
    },
    judge: payloadRule('enforce'),
    now: () => time.ms,
    ...(maxSchemas !== undefined && { maxSchemas }),
  });
  return { decoder, asked, time, state };
};

const avro = framed(7, type.toBuffer(auditEvent()));
const json = framed(8, asBytes(auditEvent()));

describe('a decoder with a registry', () => {
  test('takes plain JSON at once, with nothing to wait for', () => {
    const { decoder, asked } = setUp({});
    expect(decoder.prepare([asBytes(auditEvent()), null, Buffer.alloc(0)])).toBeNull();
    expect(decoder.decode(asBytes(auditEvent()))).toMatchObject({ accepted: true });
    expect(decoder.decode(asBytes(auditEvent()))).not.toHaveProperty('framed');
    expect(asked).toEqual([]);
  });

  test('asks once for each schema of a batch, and tells encodings apart record by record', async () => {
    const { decoder, asked } = setUp({ 7: { kind: 'avro', type }, 8: { kind: 'json' } });
    expect(decoder.isReady(avro)).toBe(false);
    await decoder.prepare([avro, avro, json, asBytes(auditEvent()), avro]);
    expect(asked).toEqual([7, 8]);
    expect(decoder.prepare([avro, json])).toBeNull();
    const decoded = decoder.decode(avro);
    expect(decoded).toMatchObject({
      accepted: true,
      facts: { eventType: 'gateway.signal.received' },
      framed: { encoding: 'avro', schemaId: 7, original: avro },
    });
    expect(decoded.accepted && JSON.parse(decoded.json.toString())).toEqual(auditEvent());
    expect(decoder.decode(json)).toMatchObject({
      accepted: true,
      json: asBytes(auditEvent()),
      framed: { encoding: 'json-schema', schemaId: 8, original: json },
    });
  });

  test('holds while the registry is down, and asks again', async () => {
    const { decoder, state } = setUp({ 7: { kind: 'avro', type } });
    state.isDown = true;
    await expect(decoder.prepare([avro])).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE', disposition: 'retry' });
    expect(decoder.isReady(avro)).toBe(false);
    state.isDown = false;
    await decoder.prepare([avro]);
    expect(decoder.decode(avro)).toMatchObject({ accepted: true });
  });

  test('remembers for a while that an id is unknown', async () => {
    const { decoder, asked, time } = setUp({});
    await decoder.prepare([avro]);
    expect(decoder.decode(avro)).toMatchObject({ accepted: false, code: 'SCHEMA_UNKNOWN' });
    expect(decoder.prepare([avro])).toBeNull();
    time.ms = 30_001;
    expect(decoder.isReady(avro)).toBe(false);
    await decoder.prepare([avro]);
    expect(asked).toEqual([7, 7]);
  });

  test('keeps the schemas used last, and no more than it may', async () => {
    const { decoder, asked } = setUp({ 1: { kind: 'json' }, 2: { kind: 'json' }, 3: { kind: 'json' } }, 2);
    const of = (id: number) => framed(id, asBytes(auditEvent()));
    await decoder.prepare([of(1)]);
    await decoder.prepare([of(2)]);
    expect(decoder.prepare([of(1)])).toBeNull();
    await decoder.prepare([of(3)]);
    expect([1, 2, 3].map((id) => decoder.isReady(of(id)))).toEqual([true, false, true]);
    expect(asked).toEqual([1, 2, 3]);
  });

  const withDocument = (text: string) =>
    auditEvent({
      event_data: { signal_type: '', signal_name: '', namespace: '', fingerprint: 'f', original_payload: text },
    });
  const bad: readonly (readonly [string, Buffer, string])[] = [
    ['no id', Buffer.of(0, 0, 0), 'SCHEMA_FRAME_INVALID'],
    ['id 0', framed(0, Buffer.from('{}')), 'SCHEMA_FRAME_INVALID'],
    ['a negative id', framed(0xffff_ffff, Buffer.from('{}')), 'SCHEMA_FRAME_INVALID'],
    ['nothing behind the frame', framed(7, Buffer.alloc(0)), 'AVRO_INVALID'],
    ['half a record', avro.subarray(0, 40), 'AVRO_INVALID'],
    ['more than a record', Buffer.concat([avro, Buffer.of(0)]), 'AVRO_INVALID'],
    ['no JSON behind the frame', framed(8, Buffer.from('{')), 'JSON_INVALID'],
    ['nothing behind the frame of JSON', framed(8, Buffer.alloc(0)), 'VALUE_EMPTY'],
    ['a schema that cannot be used', framed(9, Buffer.from('{}')), 'SCHEMA_UNUSABLE'],
    ['a field at fault', framed(7, type.toBuffer(auditEvent({ event_outcome: 'maybe' }))), 'OUTCOME_INVALID'],
    [
      'a payload at fault',
      framed(
        7,
        type.toBuffer(auditEvent({ event_data: { signal_type: '', signal_name: '', namespace: '', fingerprint: '' } })),
      ),
      'PAYLOAD_INVALID',
    ],
    ['a value too large', framed(7, Buffer.alloc(1_048_576)), 'RECORD_TOO_LARGE'],
    [
      'an event_data too large',
      framed(7, type.toBuffer(withDocument(JSON.stringify({ x: 'x'.repeat(263_000) })))),
      'EVENT_DATA_TOO_LARGE',
    ],
    [
      'a document too deep',
      framed(7, type.toBuffer(withDocument(`{"a":${'['.repeat(12)}${']'.repeat(12)}}`))),
      'DEPTH_EXCEEDED',
    ],
  ];

  test.each(bad)('rejects %s', async (_name, value, code) => {
    const { decoder } = setUp({ 7: { kind: 'avro', type }, 8: { kind: 'json' }, 9: { kind: 'unusable', why: 'odd' } });
    await decoder.prepare([value]);
    expect(decoder.decode(value)).toMatchObject({ accepted: false, code });
  });
});

test('a decoder without a registry says so of anything in a frame', () => {
  const decoder = plainDecoder(payloadRule('enforce'));
  expect(decoder.prepare([avro])).toBeNull();
  expect(decoder.isReady(avro)).toBe(true);
  expect(decoder.decode(avro)).toMatchObject({ accepted: false, code: 'ENCODING_UNKNOWN' });
});
