import { unpadLog, unpadOffset, unpadPartition, unpadTime } from './digits.ts';
import { isEventId } from './event-id.ts';
import type { Coordinates, SpanLevel } from './keys.ts';
import { decodeSegment, type Segment } from './segment.ts';

/** When a posting's smallest time is, and where its first record lies. */
export type PostingPlace = { readonly span: SpanLevel; readonly timeUs: number; readonly first: Coordinates };

export type PostingKey =
  | ({ readonly kind: 'time' } & PostingPlace)
  | ({ readonly kind: 'corr'; readonly correlationId: Segment } & PostingPlace)
  | ({ readonly kind: 'type'; readonly eventType: Segment } & PostingPlace)
  | ({ readonly kind: 'actor'; readonly actorType: Segment; readonly actorId: Segment } & PostingPlace);

/** What a key of the ledger means. `unknown`: format 1 never writes it. */
export type LedgerKey =
  | { readonly kind: 'format' }
  | { readonly kind: 'restated-format'; readonly n: number }
  | { readonly kind: 'log'; readonly log: number }
  | { readonly kind: 'event'; readonly eventId: string }
  | { readonly kind: 'mark'; readonly log: number; readonly partition: number }
  | ({ readonly kind: 'dead' } & Coordinates)
  | PostingKey
  | { readonly kind: 'unknown' };

/**
 * Total and strict: any text gets an answer, nothing throws, and a key that is not `unknown` is exactly what the encoder
 * writes for the answer. Bytes are best given as latin1: what is not ASCII is unknown.
 */
export const parseKey = (key: string): LedgerKey => {
  const parts = key.split('/');
  return (readers[parts[0] ?? ''] ?? none)(parts) ?? unknown;
};

/** True of the kinds whose value is a posting. */
export const isPostingKey = (key: LedgerKey): key is PostingKey =>
  key.kind === 'time' || key.kind === 'corr' || key.kind === 'type' || key.kind === 'actor';

const unknown: LedgerKey = { kind: 'unknown' };

type Parts = readonly string[];

const none = (): null => null;

const readMeta = (parts: Parts): LedgerKey | null => {
  const [, what, number] = parts;
  if (what === 'format' && parts.length === 2) return { kind: 'format' };
  if (number === undefined || parts.length !== 3) return null;
  const value = unpadLog(number);
  if (value === null) return null;
  if (what === 'log') return { kind: 'log', log: value };
  return what === 'format' && value > 0 ? { kind: 'restated-format', n: value } : null;
};

const readEvent = (parts: Parts): LedgerKey | null => {
  const [, eventId] = parts;
  return parts.length === 2 && eventId !== undefined && isEventId(eventId) ? { kind: 'event', eventId } : null;
};

const readMark = (parts: Parts): LedgerKey | null => {
  if (parts.length !== 3) return null;
  const log = unpadLog(parts[1] ?? '');
  const partition = unpadPartition(parts[2] ?? '');
  return log === null || partition === null ? null : { kind: 'mark', log, partition };
};

const readDead = (parts: Parts): LedgerKey | null => {
  const at = readCoordinates(parts.slice(1));
  return at === null ? null : { kind: 'dead', ...at };
};

const readTime = (parts: Parts): LedgerKey | null => {
  const place = readPlace(parts.slice(1));
  return place === null ? null : { kind: 'time', ...place };
};

const readCorrelation = (parts: Parts): LedgerKey | null => {
  const correlationId = decodeSegment(parts[1] ?? '');
  const place = readPlace(parts.slice(2));
  return correlationId === null || place === null ? null : { kind: 'corr', correlationId, ...place };
};

const readType = (parts: Parts): LedgerKey | null => {
  const eventType = decodeSegment(parts[1] ?? '');
  const place = readPlace(parts.slice(2));
  return eventType === null || place === null ? null : { kind: 'type', eventType, ...place };
};

const readActor = (parts: Parts): LedgerKey | null => {
  const actorType = decodeSegment(parts[1] ?? '');
  const actorId = decodeSegment(parts[2] ?? '');
  const place = readPlace(parts.slice(3));
  return actorType === null || actorId === null || place === null
    ? null
    : { kind: 'actor', actorType, actorId, ...place };
};

/** `<span>/<time>/<log>.<partition>.<offset>` and nothing after it. */
const readPlace = (parts: Parts): PostingPlace | null => {
  if (parts.length !== 3) return null;
  const span = readSpan(parts[0]);
  const timeUs = unpadTime(parts[1] ?? '');
  const first = readCoordinates((parts[2] ?? '').split('.'));
  return span === null || timeUs === null || first === null ? null : { span, timeUs, first };
};

const readSpan = (text: string | undefined): SpanLevel | null => {
  if (text === '0') return 0;
  if (text === '1') return 1;
  return text === '2' ? 2 : null;
};

const readCoordinates = (parts: Parts): Coordinates | null => {
  if (parts.length !== 3) return null;
  const log = unpadLog(parts[0] ?? '');
  const partition = unpadPartition(parts[1] ?? '');
  const offset = unpadOffset(parts[2] ?? '');
  return log === null || partition === null || offset === null ? null : { log, partition, offset };
};

const readers: Readonly<Record<string, (parts: Parts) => LedgerKey | null>> = Object.assign(
  Object.create(null) as Record<string, (parts: Parts) => LedgerKey | null>,
  {
    meta: readMeta,
    event: readEvent,
    mark: readMark,
    dead: readDead,
    time: readTime,
    corr: readCorrelation,
    type: readType,
    actor: readActor,
  },
);
