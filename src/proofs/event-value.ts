import { bytesOfBase64 } from './base64.ts';
import type { Hash } from './hash.ts';
import { hexOfBytes } from './hex.ts';
import { ProofError, requireProof } from './proof-error.ts';
import { bytesOfText } from './utf8.ts';

/** What the ledger's value of an event says (docs/ledger-format.md), as far as a proof needs it. */
export type EventStatement = {
  readonly eventId: string;
  /** The event, as its producer wrote it (of framed encodings: as it was decoded). */
  readonly event: string;
  readonly source: {
    readonly log: number;
    readonly partition: number;
    readonly offset: bigint;
    /** Unix milliseconds; -1 if Kafka has none. */
    readonly timestamp: bigint;
    /** SHA-256 of the record's value, hexadecimal. */
    readonly sha256: string;
    readonly recordSha256: string;
    readonly encoding: string;
  };
};

const keyPrefix = 'event/';
const eventMember = ',"event":';

/**
 * Reads key and value of an event, and checks that they agree: the id of the key is the event's, and the hash that the
 * source states is of the event's own bytes. Throws ProofError (`malformed`, `statement`).
 */
export const readEventValue = (key: string, value: string, hash: Hash): EventStatement => {
  const eventId = key.slice(keyPrefix.length);
  const isKey = key.startsWith(keyPrefix) && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(eventId);
  requireProof(isKey, 'malformed', 'the key is not that of an event');
  const at = value.indexOf(eventMember);
  requireProof(at > 0 && value.startsWith('{"v":1,"source":{'), 'malformed', 'the value is not that of an event');
  const event = value.slice(at + eventMember.length, -1);
  const [source, parsed] = [objectOf(value.slice('{"v":1,"source":'.length, at)), objectOf(event)];
  const statedId = parsed['event_id'];
  const isSame = typeof statedId === 'string' && statedId.toLowerCase() === eventId;
  requireProof(isSame, 'statement', 'the event has another id than its key');
  const statement = { eventId, event, source: sourceOf(source) };
  requireHash(statement, source['original_b64'], hash);
  return statement;
};

const objectOf = (text: string): Readonly<Record<string, unknown>> => {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Said below.
  }
  throw new ProofError('malformed', 'the value is not that of an event');
};

const sourceOf = (source: Readonly<Record<string, unknown>>): EventStatement['source'] => {
  const { log, partition, offset, timestamp, sha256, record_sha256: recordSha256, encoding } = source;
  const require = (holds: boolean): void => requireProof(holds, 'malformed', 'the source of the event is not complete');
  const text = (member: unknown, shape: RegExp): string => {
    require(typeof member === 'string' && shape.test(member));
    return String(member);
  };
  require(Number.isInteger(log) && Number.isInteger(partition));
  return {
    log: Number(log),
    partition: Number(partition),
    offset: BigInt(text(offset, /^(0|[1-9][0-9]{0,18})$/)),
    timestamp: BigInt(text(timestamp, /^(-1|0|[1-9][0-9]{0,18})$/)),
    sha256: text(sha256, /^[0-9a-f]{64}$/),
    recordSha256: text(recordSha256, /^[0-9a-f]{64}$/),
    encoding: text(encoding, /^[a-z0-9-]+$/),
  };
};

const requireHash = ({ event, source }: EventStatement, original: unknown, hash: Hash): void => {
  const bytes = typeof original === 'string' ? bytesOfBase64(original, 'original_b64') : bytesOfText(event);
  const isSame = hexOfBytes(hash(bytes)) === source.sha256;
  requireProof(isSame, 'statement', 'the hash that the source states is not of this event');
};
