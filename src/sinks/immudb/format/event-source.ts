import type { Header, KafkaRecord } from '../../../schemas/record.ts';
import { maxLog, maxPartition } from './digits.ts';
import type { Coordinates } from './keys.ts';
import { refuse } from './invalid.ts';
import type { Members } from './members.ts';
import { closingBrace, type Pen, putAscii, putByte, putBytes, putInteger, putText, putUtf8 } from './pen.ts';
import { boundHeaders, putHeaders, readHeaders } from './source-headers.ts';

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

/** Text of a source that is always the same, each piece before what it is named after. */
const before = {
  log: Buffer.from('{"log":'),
  partition: Buffer.from(',"partition":'),
  offset: Buffer.from(',"offset":"'),
  timestamp: Buffer.from('","timestamp":"'),
  key: {
    create: Buffer.from('","timestamp_type":"create",'),
    append: Buffer.from('","timestamp_type":"append",'),
  },
  headers: Buffer.from(',"headers":'),
  sha256: Buffer.from(',"sha256":"'),
  recordSha256: Buffer.from('","record_sha256":"'),
  encoding: Buffer.from('","encoding":'),
};

/** The JSON text of `source`, in the one form that format 1 writes. */
export const putSource = (pen: Pen, source: SourceToWrite): void => {
  const { kept, omitted } = boundHeaders(source.headers);
  const left = omitted + source.headersOmitted;
  const { principal, schemaId, original } = source;
  putBytes(pen, before.log);
  putInteger(pen, source.log);
  putBytes(pen, before.partition);
  putInteger(pen, source.partition);
  putBytes(pen, before.offset);
  putInteger(pen, source.offset);
  putBytes(pen, before.timestamp);
  putInteger(pen, source.timestamp);
  putBytes(pen, before.key[source.timestampType]);
  putKey(pen, source.key);
  putBytes(pen, before.headers);
  putHeaders(pen, kept);
  if (left !== 0) putAscii(pen, `,"headers_omitted":${left}`);
  if (principal !== undefined) {
    putAscii(pen, ',"principal":');
    putText(pen, principal);
  }
  putBytes(pen, before.sha256);
  putAscii(pen, source.sha256);
  putBytes(pen, before.recordSha256);
  putAscii(pen, source.recordSha256);
  putBytes(pen, before.encoding);
  putText(pen, source.encoding);
  if (schemaId !== undefined) putAscii(pen, `,"schema_id":${schemaId}`);
  if (original !== undefined) putAscii(pen, `,"original_b64":"${original.toString('base64')}"`);
  putByte(pen, closingBrace);
};

const putKey = (pen: Pen, key: Buffer | null): void => {
  const start = pen.at;
  putAscii(pen, '"key":');
  if (key === null) putAscii(pen, 'null');
  else if (!putUtf8(pen, key)) {
    pen.at = start;
    putAscii(pen, `"key_b64":"${key.toString('base64')}"`);
  }
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
