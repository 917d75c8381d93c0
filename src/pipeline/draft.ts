import type { Batcher } from '../consumers/batcher.ts';
import type { Slice } from '../consumers/pending.ts';
import type { Decoded } from '../schemas/decoded.ts';
import type { KafkaRecord, LastRecord } from '../schemas/record.ts';
import type { Batch, Budget, Outcome, Span } from '../sinks/sink.ts';
import type { Judged, Verdict } from './judge.ts';

/** One batch before it is decided: slices, and for each of their records, in order, what is known of it. */
export type Draft = { readonly parts: readonly Part[] };

export type Part = {
  readonly slice: Slice;
  readonly judged: readonly Judged[];
  /** The last record that coverage has seen once this part is written. */
  readonly last: LastRecord | null;
  readonly unchecked: boolean;
};

/** `decode` is asked of values that are ready only: see Decoder in schemas/registry/decoder.ts. */
export type Inspect = {
  decode(value: Buffer | null): Decoded;
  isReady(value: Buffer | null): boolean;
  prepare(values: readonly (Buffer | null)[]): Promise<void> | null;
  sha256(value: Buffer | null): string;
};

/** What a part carries forward of its partition: `last` when it has no record of its own. */
export type Continued = { readonly last: LastRecord | null; readonly unchecked: boolean };

/** Lets the event loop send and receive between slices of work. */
export type Breathe = () => Promise<void>;

/** Records that are looked at without a breath: one or two milliseconds of work. */
const stride = 64;

/**
 * Cuts the next batch: decodes and hashes each record once, and stops where the budget or `maxEvents` says. The work is
 * done in strides, for a batch is being written meanwhile, and its bytes only move while the event loop turns. It also
 * stops before a record that cannot be decoded yet; if that is the first, the draft has no parts.
 */
export const draftBatch = async (
  batcher: Batcher,
  newBudget: () => Budget,
  maxEvents: number,
  inspect: Inspect,
  continued: (partition: number) => Continued,
  breathe: Breathe,
): Promise<Draft> => {
  const known = new Map<KafkaRecord, Judged>();
  const judge = (record: KafkaRecord): Judged => {
    const judged = known.get(record) ?? {
      record,
      sha256: inspect.sha256(record.value),
      decoded: inspect.decode(record.value),
      deadAt: null,
    };
    known.set(record, judged);
    return judged;
  };
  for (const [index, record] of batcher.peek(maxEvents).entries()) {
    if (!inspect.isReady(record.value)) break;
    judge(record);
    if (index % stride === stride - 1) await breathe();
  }
  const [front] = batcher.peek(1);
  if (front !== undefined && !inspect.isReady(front.value)) return { parts: [] };
  const budget = newBudget();
  let taken = 0;
  const slices = batcher.draft((partition, record) => {
    if (taken === maxEvents || !inspect.isReady(record.value)) return false;
    taken += 1;
    const { decoded } = judge(record);
    return budget.take({
      partition,
      bytes: ledgerBytes(record, decoded),
      facts: decoded.accepted ? decoded.facts : null,
    });
  });
  return {
    parts: slices.map((slice) => {
      const judged = slice.records.map(judge);
      const before = continued(slice.pending.partition);
      return { slice, judged, last: lastRecord(judged) ?? before.last, unchecked: before.unchecked };
    }),
  };
};

/** A key is kept as JSON text, in which one byte may become six; a value is kept as it is, a framed one beside its JSON. */
const ledgerBytes = ({ key, value }: KafkaRecord, decoded: Decoded): number => {
  const isFramed = decoded.accepted && decoded.framed !== undefined;
  const bytes = isFramed ? decoded.json.length + (4 * (value?.length ?? 0)) / 3 + 4 : (value?.length ?? 0);
  return bytes + 6 * (key?.length ?? 0);
};

/** The batch that a draft becomes under these verdicts (one for each of its records, in order). */
export const batchOf = (draft: Draft, verdicts: readonly Verdict[]): Batch => {
  let at = 0;
  const spans = draft.parts.map(({ slice, judged, last, unchecked }): Span => {
    const outcomes = judged.map((one) => outcomeOf(one, verdicts[at++]));
    const { first, next, gaps } = slice;
    return { partition: slice.pending.partition, first, next, outcomes, gaps, last, unchecked };
  });
  return { spans };
};

const lastRecord = (judged: readonly Judged[]): LastRecord | null => {
  const last = judged.at(-1);
  if (last === undefined) return null;
  return { offset: last.record.offset, timestamp: last.record.timestamp, sha256: last.sha256 };
};

const outcomeOf = (judged: Judged, verdict: Verdict | undefined): Outcome => {
  const { record, sha256, decoded, deadAt } = judged;
  if (decoded.accepted && verdict?.kind === 'store') {
    const { facts, json, framed, doubt } = decoded;
    return {
      kind: 'stored',
      record,
      sha256,
      facts,
      json,
      ...(framed && { framed }),
      ...(doubt !== undefined && { doubt }),
    };
  }
  if (decoded.accepted && verdict?.kind === 'duplicate') {
    return { kind: 'duplicate', record, sha256, eventId: decoded.facts.eventId };
  }
  if (verdict?.kind !== 'dead' || deadAt === null) throw new Error('a record has neither verdict nor place');
  const { code, message } = verdict;
  const named = decoded.accepted ? decoded.facts : decoded;
  return {
    kind: 'dead',
    record,
    sha256,
    code,
    message,
    dlq: deadAt,
    ...(named.eventId !== undefined && { eventId: named.eventId }),
    ...(named.correlationId !== undefined && { correlationId: named.correlationId }),
    ...(named.eventType !== undefined && { eventType: named.eventType }),
  };
};
