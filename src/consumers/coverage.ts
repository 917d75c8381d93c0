import type { Gap, KafkaRecord, LastRecord } from '../schemas/record.ts';
import type { Delivery, LogBounds } from './source.ts';

/** How far one partition is covered, and the record by which its log is recognised. */
export type Position = { readonly next: bigint; readonly last: LastRecord | null };

/** What to do with a partition that was just assigned, given where the ledger and Kafka stand. */
export type Opening =
  /** Fetch from `seek`. `unchecked`: the last record is gone for a reason, so identity rests on cluster and log end. */
  | { readonly kind: 'read'; readonly seek: bigint; readonly position: Position; readonly unchecked: boolean }
  /** Records were deleted before they were covered: loss, stated as a gap up to the log start. */
  | { readonly kind: 'lost'; readonly seek: bigint; readonly position: Position; readonly gap: Gap }
  | { readonly kind: 'replaced'; readonly why: string };

export const openAt = (position: Position | null, bounds: LogBounds, isCompacted: boolean): Opening => {
  if (position === null) {
    const start = { next: bounds.start, last: null };
    return { kind: 'read', seek: bounds.start, position: start, unchecked: false };
  }
  const { next, last } = position;
  if (bounds.end < next) {
    return { kind: 'replaced', why: `the log ends at ${bounds.end.toString()}, the ledger covers up to ${next.toString()}` };
  }
  if (bounds.start > next) {
    const gap: Gap = { from: next, to: bounds.start, reason: 'below_log_start' };
    return { kind: 'lost', seek: bounds.start, position, gap };
  }
  if (last === null) return { kind: 'read', seek: next, position, unchecked: false };
  const isGone = bounds.start > last.offset;
  if (isGone) return { kind: 'read', seek: next, position, unchecked: true };
  return { kind: 'read', seek: last.offset, position, unchecked: isCompacted };
};

/** What a delivery means for a partition that is covered up to `position.next`. */
export type Admission =
  | { readonly kind: 'new'; readonly records: readonly KafkaRecord[]; readonly gaps: readonly Gap[]; readonly next: bigint }
  /** Nothing in it is new. */
  | { readonly kind: 'covered' }
  /** It begins above the coverage: what lies between is not accounted for. */
  | { readonly kind: 'above' }
  | { readonly kind: 'replaced'; readonly why: string };

/**
 * Trims a delivery to what is not yet covered. Wherever it should hold the last covered record, that record must be
 * the same one (offset, timestamp, hash), else the log is another log. On a compacted topic it may also be gone.
 */
export const admit = (
  position: Position,
  delivery: Delivery,
  sha256: (record: KafkaRecord) => string,
  isCompacted: boolean,
): Admission => {
  const stranger = recognise(position.last, delivery, sha256, isCompacted);
  if (stranger !== null) return { kind: 'replaced', why: stranger };
  if (delivery.from > position.next) return { kind: 'above' };
  if (delivery.next <= position.next) return { kind: 'covered' };
  const { next } = position;
  return {
    kind: 'new',
    records: delivery.from === next ? delivery.records : delivery.records.filter((record) => record.offset >= next),
    gaps: delivery.gaps.flatMap((gap) => trimGap(gap, next)),
    next: delivery.next,
  };
};

const trimGap = (gap: Gap, next: bigint): Gap[] => {
  if (gap.to <= next) return [];
  return [gap.from >= next ? gap : { ...gap, from: next }];
};

const recognise = (
  last: LastRecord | null,
  delivery: Delivery,
  sha256: (record: KafkaRecord) => string,
  isCompacted: boolean,
): string | null => {
  if (last === null || delivery.from > last.offset || delivery.next <= last.offset) return null;
  const record = delivery.records.find((candidate) => candidate.offset >= last.offset);
  const at = `partition ${delivery.partition} offset ${last.offset.toString()}`;
  if (record?.offset !== last.offset) return isCompacted ? null : `${at} holds no record, the ledger has seen one there`;
  const isSame = record.timestamp === last.timestamp && sha256(record) === last.sha256;
  return isSame ? null : `${at} holds another record than the ledger has seen there`;
};

/** Joins neighbouring gaps of one reason, keeping order. */
export const mergeGaps = (gaps: readonly Gap[]): Gap[] => {
  const merged: Gap[] = [];
  for (const gap of gaps) {
    const before = merged.at(-1);
    if (before?.to === gap.from && before.reason === gap.reason) merged[merged.length - 1] = { ...before, to: gap.to };
    else merged.push(gap);
  }
  return merged;
};
