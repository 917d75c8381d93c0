import type { Gap, KafkaRecord, LastRecord } from '../schemas/record.ts';
import type { Delivery, LogBounds } from './source.ts';

/** How far one partition is covered, and the record by which its log is recognised. */
export type Position = { readonly next: bigint; readonly last: LastRecord | null };

/** What to do with a partition that was just assigned, given where the ledger and Kafka stand. */
export type Opening =
  /** Fetch from `seek`. `recognise`: that fetch must begin with the last covered record. */
  | { readonly kind: 'read'; readonly seek: bigint; readonly position: Position; readonly recognise: boolean }
  /** Records were deleted before they were covered: loss, to be stated as a gap up to the log start. */
  | { readonly kind: 'lost'; readonly position: Position; readonly gap: Gap }
  | { readonly kind: 'replaced'; readonly why: string };

/** `position` null: the ledger has no mark of this partition yet, so its coverage begins at the log start. */
export const openAt = (position: Position | null, bounds: LogBounds): Opening => {
  if (position === null) {
    return { kind: 'read', seek: bounds.start, position: { next: bounds.start, last: null }, recognise: false };
  }
  const { next, last } = position;
  if (bounds.end < next) {
    return {
      kind: 'replaced',
      why: `the log ends at ${bounds.end.toString()}, the ledger covers up to ${next.toString()}`,
    };
  }
  if (bounds.start > next) {
    return { kind: 'lost', position, gap: { from: next, to: bounds.start, reason: 'below_log_start' } };
  }
  const canRecognise = last !== null && bounds.start <= last.offset;
  return { kind: 'read', seek: canRecognise ? last.offset : next, position, recognise: canRecognise };
};

/**
 * Whether a delivery holds the last covered record where it should: `same`, `gone` (compaction took it), `elsewhere`
 * (the delivery does not reach there), or why this must be another log.
 */
export type Recognition = 'same' | 'gone' | 'elsewhere' | { readonly replaced: string };

export const recognise = (
  last: LastRecord,
  delivery: Delivery,
  sha256: (record: KafkaRecord) => string,
  isCompacted: boolean,
): Recognition => {
  if (delivery.from > last.offset || delivery.next <= last.offset) return 'elsewhere';
  const record = delivery.records.find((candidate) => candidate.offset >= last.offset);
  const at = `partition ${delivery.partition} offset ${last.offset.toString()}`;
  if (record?.offset !== last.offset) {
    return isCompacted ? 'gone' : { replaced: `${at} holds no record, the ledger has seen one there` };
  }
  const isSame = record.timestamp === last.timestamp && sha256(record) === last.sha256;
  return isSame ? 'same' : { replaced: `${at} holds another record than the ledger has seen there` };
};

/** What a delivery adds to a partition that is covered up to `next`. */
export type Admission =
  | { readonly kind: 'new'; readonly records: readonly KafkaRecord[]; readonly gaps: readonly Gap[] }
  /** Nothing in it is new. */
  | { readonly kind: 'covered' }
  /** It begins above the coverage: what lies between is not accounted for. */
  | { readonly kind: 'above' };

/** Trims a delivery to what is not yet covered. */
export const admit = (next: bigint, delivery: Delivery): Admission => {
  if (delivery.from > next) return { kind: 'above' };
  if (delivery.next <= next) return { kind: 'covered' };
  return {
    kind: 'new',
    records: delivery.from === next ? delivery.records : delivery.records.filter((record) => record.offset >= next),
    gaps: delivery.gaps.flatMap((gap) => trimGap(gap, next)),
  };
};

const trimGap = (gap: Gap, next: bigint): Gap[] => {
  if (gap.to <= next) return [];
  return [gap.from >= next ? gap : { ...gap, from: next }];
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
