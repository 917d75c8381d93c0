import type { Batcher } from '../consumers/batcher.ts';
import type { Slice } from '../consumers/pending.ts';
import type { Decoded } from '../schemas/decoded.ts';
import type { KafkaRecord, LastRecord } from '../schemas/record.ts';
import { valueSha256 } from '../schemas/record-hash.ts';
import { redriveTagOf } from '../schemas/redrive-headers.ts';
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
  /** The last record before this part. */
  readonly before: LastRecord | null;
};

/** A part that is not covered: its partition is held from there on, for this reason. */
export type Tripped = { readonly part: Part; readonly why: string };

/** `decode` is asked of values that are ready only: see Decoder in schemas/registry/decoder.ts. */
export type Inspect = {
  decode(value: Buffer | null): Decoded;
  isReady(value: Buffer | null): boolean;
  prepare(values: readonly (Buffer | null)[]): Promise<void> | null;
};

/** What a part carries forward of its partition: `last` when it has no record of its own. */
export type Continued = { readonly last: LastRecord | null; readonly unchecked: boolean };

/** Lets the event loop send and receive between slices of work. */
export type Breathe = () => Promise<void>;

/** Records that are looked at without a breath: one or two milliseconds of work. */
const stride = 128;

/**
 * Cuts the next batch: decodes each record once, and stops where the budget or `maxEvents` says. The work is
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
  const judge = (record: KafkaRecord): Judged => ({
    record,
    decoded: inspect.decode(record.value),
    deadAt: null,
    tag: redriveTagOf(record.headers),
    redrive: null,
    refused: null,
  });
  const queued: Judged[] = [];
  for (const record of batcher.peek(maxEvents)) {
    if (!inspect.isReady(record.value)) break;
    if (queued.push(judge(record)) % stride === 0) await breathe();
  }
  // Meanwhile records may have been withdrawn, or others come: what is left is in the same order.
  let seen = 0;
  const judgedOf = (record: KafkaRecord): Judged => {
    while (seen < queued.length && queued[seen]?.record !== record) seen += 1;
    return queued[seen++] ?? judge(record);
  };
  const [front] = batcher.peek(1);
  if (front !== undefined && !inspect.isReady(front.value)) return { parts: [] };
  const budget = newBudget();
  const taken: Judged[] = [];
  const slices = batcher.draft((partition, record) => {
    if (record === null) return budget.cover(partition);
    if (taken.length === maxEvents || !inspect.isReady(record.value)) return false;
    const judged = judgedOf(record);
    taken.push(judged);
    const facts = judged.decoded.accepted ? judged.decoded.facts : null;
    const bytes = ledgerBytes(record, judged.decoded);
    return budget.take({ partition, bytes, facts, closes: judged.tag !== null });
  });
  let at = 0;
  return {
    parts: slices.map((slice) => {
      const judged = taken.slice(at, (at += slice.records.length));
      const before = continued(slice.pending.partition);
      return {
        slice,
        judged,
        last: lastRecord(judged) ?? before.last,
        unchecked: before.unchecked,
        before: before.last,
      };
    }),
  };
};

/** A key is kept as JSON text, in which one byte may become six; a value as it is, a framed one beside its JSON. */
const ledgerBytes = ({ key, value }: KafkaRecord, decoded: Decoded): number => {
  const isFramed = decoded.accepted && decoded.framed !== undefined;
  const bytes = isFramed ? decoded.json.length + (4 * (value?.length ?? 0)) / 3 + 4 : (value?.length ?? 0);
  return bytes + 6 * (key?.length ?? 0);
};

/** The batch that a draft becomes under these verdicts (one for each of its records, in order), and what is held. */
export const batchOf = (draft: Draft, verdicts: readonly Verdict[], tripped: readonly Tripped[] = []): Batch => {
  let at = 0;
  const spans = draft.parts.map(({ slice, judged, last, unchecked }): Span => {
    const outcomes = judged.map((one) => outcomeOf(one, verdicts[at++]));
    const { first, next, gaps } = slice;
    return { partition: slice.pending.partition, first, next, outcomes, gaps, last, unchecked };
  });
  return { spans: [...spans, ...tripped.map(heldSpan)] };
};

const heldSpan = ({ part: { slice, before }, why }: Tripped): Span => ({
  ...{ partition: slice.pending.partition, first: slice.first, next: slice.first },
  ...{ outcomes: [], gaps: [], last: before, unchecked: false, tripped: why },
});

export const lastRecord = (judged: readonly Judged[]): LastRecord | null => {
  const last = judged.at(-1);
  if (last === undefined) return null;
  const { offset, timestamp, value } = last.record;
  return { offset, timestamp, sha256: valueSha256(value) };
};

const outcomeOf = (judged: Judged, verdict: Verdict | undefined): Outcome => {
  const outcome = recordOutcomeOf(judged, verdict);
  return judged.redrive === null ? outcome : { ...outcome, closes: judged.redrive };
};

const recordOutcomeOf = (judged: Judged, verdict: Verdict | undefined): Outcome => {
  const { record, decoded, deadAt } = judged;
  if (decoded.accepted && verdict?.kind === 'store') {
    const { facts, json, framed, doubt } = decoded;
    const stored = { kind: 'stored', record, facts, json } as const;
    return framed === undefined && doubt === undefined
      ? stored
      : { ...stored, ...(framed && { framed }), ...(doubt !== undefined && { doubt }) };
  }
  const sha256 = valueSha256(record.value);
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
