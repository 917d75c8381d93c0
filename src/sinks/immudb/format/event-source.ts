import { isUtf8 } from 'node:buffer';
import type { Header, KafkaRecord } from '../../../schemas/record.ts';
import { maxLog, maxPartition } from './digits.ts';
import type { Coordinates } from './keys.ts';
import { refuse } from './invalid.ts';
import type { Members } from './members.ts';
import { boundHeaders, headersText, readHeaders } from './source-headers.ts';

/** Where a stored event came from: its record on Kafka, and what proves it. */
export type EventSource = Coordinates &
  Pick<KafkaRecord, 'timestamp' | 'timestampType' | 'key'> & {
    /** Of a source to be written all of them: those over the bounds are left out and counted. */
    readonly headers: readonly Header[];
    /** How many headers the value leaves out; a source to be written has 0. */
    readonly headersOmitted: number;
    /** Who sent it, as far as somebody checked. */
    readonly principal?: string;
    /** Hex, of the record's value bytes. */
    readonly sha256: string;
    /** Hex, of the whole record (schemas/record-hash.ts). */
    readonly recordSha256: string;
    /** `json`: the event is the record's value, byte for byte. Others are framed, and `original` is the value. */
    readonly encoding: string;
    readonly schemaId?: number;
    readonly original?: Buffer;
  };

/** As EventSource; what a source has not may also be undefined, which spares a writer in a hurry to leave it out. */
export type SourceToWrite = Omit<EventSource, 'schemaId' | 'original'> & {
  readonly [K in 'schemaId' | 'original']?: EventSource[K] | undefined;
};

/** The JSON text of `source`. Hot path: JSON.stringify only where a producer chose the text. */
export const sourceText = (source: SourceToWrite): string => {
  const { kept, omitted } = boundHeaders(source.headers);
  const left = omitted + source.headersOmitted;
  const { principal, schemaId, original } = source;
  return (
    `{"log":${source.log},"partition":${source.partition},"offset":"${String(source.offset)}"` +
    `,"timestamp":"${String(source.timestamp)}","timestamp_type":"${source.timestampType}"` +
    `,${keyText(source.key)},"headers":${headersText(kept)}` +
    (left === 0 ? '' : `,"headers_omitted":${left}`) +
    (principal === undefined ? '' : `,"principal":${JSON.stringify(principal)}`) +
    `,"sha256":"${source.sha256}","record_sha256":"${source.recordSha256}","encoding":"${source.encoding}"` +
    (schemaId === undefined ? '' : `,"schema_id":${schemaId}`) +
    (original === undefined ? '}' : `,"original_b64":"${original.toString('base64')}"}`)
  );
};

const keyText = (key: Buffer | null): string => {
  if (key === null) return '"key":null';
  if (isPlain(key)) return `"key":"${key.toString('latin1')}"`;
  return isUtf8(key) ? `"key":${JSON.stringify(key.toString())}` : `"key_b64":"${key.toString('base64')}"`;
};

/** Printable ASCII without what JSON escapes: its own JSON text between the quotes. */
const isPlain = (bytes: Buffer): boolean => {
  for (const byte of bytes) if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return false;
  return true;
};

/** Throws LEDGER_FORMAT_INVALID by its members. That the text is the exact one is for the caller to compare. */
export const readSource = (key: string, members: Members): EventSource => {
  const principal = members.optionalText('principal');
  return {
    log: members.integer('log', maxLog),
    partition: members.integer('partition', maxPartition),
    offset: members.decimal('offset'),
    timestamp: members.decimal('timestamp', -1n),
    timestampType: members.oneOf('timestamp_type', ['create', 'append']),
    key: readKey(members),
    headers: readHeaders(members.list('headers')) ?? refuse(key, 'source.headers has a row that is no header'),
    headersOmitted: members.has('headers_omitted') ? members.integer('headers_omitted', Number.MAX_SAFE_INTEGER) : 0,
    ...(principal !== undefined && { principal }),
    sha256: members.sha256('sha256'),
    recordSha256: members.sha256('record_sha256'),
    encoding: members.text('encoding'),
    ...(members.has('schema_id') && { schemaId: members.integer('schema_id', 0x7fff_ffff) }),
    ...(members.has('original_b64') && { original: Buffer.from(members.text('original_b64'), 'base64') }),
  };
};

const readKey = (members: Members): Buffer | null => {
  if (members.has('key_b64')) return Buffer.from(members.text('key_b64'), 'base64');
  return members.isNull('key') ? null : Buffer.from(members.text('key'));
};
