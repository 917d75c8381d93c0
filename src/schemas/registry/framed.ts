import { type AvroReader } from '../avro/avro-reader.ts';
import { type DecodeJson, decodeEvent, faultOfSize, maxEventBytes } from '../decode.ts';
import type { Decoded, Rejected } from '../decoded.ts';
import type { JudgePayload } from '../payload-rule.ts';
import type { RejectionCode } from '../rejection.ts';

/** What is known of a schema id, made ready for reading. */
export type KnownSchema =
  | { readonly kind: 'avro'; readonly read: AvroReader }
  | { readonly kind: 'json' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unusable'; readonly why: string };

/** The magic byte, and four bytes of the schema's id, big-endian. */
const frameBytes = 5;
const maxDepth = 11;

/** Whether a value is in the frame of a registry: plain JSON never begins with a zero byte. */
export const isFramed = (value: Buffer | null): value is Buffer => value !== null && value[0] === 0;

/** The id in the frame; null if there is none. */
export const schemaIdOf = (value: Buffer): number | null => {
  if (value.length < frameBytes || value[0] !== 0) return null;
  const id = value.readInt32BE(1);
  return id > 0 ? id : null;
};

const reject = (code: RejectionCode, message: string): Rejected => ({ accepted: false, code, message });

/**
 * What a framed record is, in the same terms as a plain one; its facts and its JSON are those of the event inside, and
 * `framed` says what came over Kafka. Never throws; bounded as decode is.
 */
export const decodeFramed = (
  value: Buffer,
  schema: KnownSchema,
  judge: JudgePayload,
  decodeJson: DecodeJson,
): Decoded => {
  const schemaId = schemaIdOf(value);
  if (schemaId === null) return reject('SCHEMA_FRAME_INVALID', 'the frame has fewer than five bytes, or an id below 1');
  if (value.length > maxEventBytes) {
    return reject('RECORD_TOO_LARGE', `the value has ${value.length} bytes; at most ${maxEventBytes} are taken`);
  }
  const decoded = inside(value, schemaId, schema, judge, decodeJson);
  if (!decoded.accepted) return decoded;
  return {
    ...decoded,
    framed: { encoding: schema.kind === 'avro' ? 'avro' : 'json-schema', schemaId, original: value },
  };
};

const inside = (
  value: Buffer,
  id: number,
  schema: KnownSchema,
  judge: JudgePayload,
  decodeJson: DecodeJson,
): Decoded => {
  switch (schema.kind) {
    case 'unknown':
      return reject('SCHEMA_UNKNOWN', `the registry has no schema ${id}`);
    case 'unusable':
      return reject('SCHEMA_UNUSABLE', `schema ${id}: ${schema.why}`);
    case 'json':
      return decodeJson(value.subarray(frameBytes));
    case 'avro':
      return readAvro(value, schema.read, judge);
  }
};

const readAvro = (value: Buffer, read: AvroReader, judge: JudgePayload): Decoded => {
  const found = read(value, frameBytes);
  if (found.kind === 'fault') return reject('AVRO_INVALID', found.why);
  if (found.kind === 'utf8') return reject('UTF8_INVALID', 'a text is not well-formed UTF-8');
  const { event, names, json, depth } = found;
  if (depth > maxDepth) {
    return reject('DEPTH_EXCEEDED', `a field nests ${depth - 1} deep; at most ${maxDepth - 1} are taken`);
  }
  const fault = faultOfSize(json, () => Buffer.byteLength(JSON.stringify(event['event_data'] ?? null)));
  return fault ?? decodeEvent(event, names, json, judge);
};
