import { PipelineError } from '../errors.ts';
import type { Batch } from '../sinks/sink.ts';
import { lastRecord, type Draft, type Part } from './draft.ts';

/**
 * A batch that the ledger refuses for good, which is neither an outage nor another writer's doing, is written in halves,
 * and those in halves again, until the records are found that are refused by themselves: they become dead letters with
 * the ledger's own words, and their neighbours are stored. If all are refused, all of them end there.
 */

/** Sending it again would change nothing, and nothing of it was written. */
export const isRefusedForGood = (error: unknown): error is PipelineError =>
  error instanceof PipelineError && error.code === 'LEDGER_REQUEST_REFUSED';

/** Null: it holds one record, or none. The back continues the front, so the front must be written first. */
export const halves = ({ parts }: Draft): readonly [Draft, Draft] | null => {
  const [only] = parts;
  if (only === undefined) return null;
  if (parts.length > 1) {
    const middle = Math.ceil(parts.length / 2);
    return [{ parts: parts.slice(0, middle) }, { parts: parts.slice(middle) }];
  }
  if (only.judged.length < 2) return null;
  const [front, back] = halvesOfPart(only);
  return [{ parts: [front] }, { parts: [back] }];
};

const halvesOfPart = (part: Part): readonly [Part, Part] => {
  const { slice, judged, last, unchecked, before } = part;
  const middle = Math.ceil(judged.length / 2);
  const [front, back] = slice.pending.split(slice, middle);
  const frontLast = lastRecord(judged.slice(0, middle)) ?? before;
  return [
    { slice: front, judged: judged.slice(0, middle), last: frontLast, unchecked, before },
    { slice: back, judged: judged.slice(middle), last, unchecked: false, before: frontLast },
  ];
};

/** Marks the only record of a draft as refused. Rethrows the refusal if that is no way out: it is not the record's. */
export const refuseOnly = ({ parts }: Draft, refusal: PipelineError): void => {
  const [judged, ...others] = parts.flatMap((part) => part.judged);
  if (judged === undefined || others.length > 0 || judged.refused !== null) throw refusal;
  judged.refused = refusal.message;
};

/** What was written in the end, of both. */
export const together = (front: Batch | null, back: Batch | null): Batch | null =>
  front === null && back === null ? null : { spans: [...(front?.spans ?? []), ...(back?.spans ?? [])] };
