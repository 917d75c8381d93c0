import type { Batch } from 'kafkajs';
import type { Gap } from '../../schemas/record.ts';
import { mergeGaps } from '../coverage.ts';
import type { Delivery } from '../source.ts';
import type { StandIn } from './fetch-response.ts';
import type { Fetched } from './record-batch.ts';

/** A kafkajs batch as our decoder of fetch responses makes it. */
export type FetchedBatch = Pick<Batch, 'partition' | 'highWatermark'> & {
  readonly fetchedOffset: string;
  readonly rawMessages: readonly StandIn[];
};

/** Everything that one fetch says of a partition: its records, and for each offset between them, why there is none. */
export const toDelivery = (batch: FetchedBatch, epoch: number): Delivery => {
  const { partition, fetchedOffset, highWatermark, rawMessages } = batch;
  const [standIn] = rawMessages;
  const read = readFrom(BigInt(fetchedOffset), standIn?.fetched ?? null);
  return { partition, epoch, ...read, logEnd: BigInt(highWatermark) };
};

/** Null: the fetch returned nothing. A fetch may return what lies below the offset that it asked for. */
export const readFrom = (
  from: bigint,
  fetched: Fetched | null,
): Pick<Delivery, 'from' | 'next' | 'records' | 'gaps'> => {
  if (fetched === null) return { from, next: from, records: [], gaps: [] };
  const gaps: Gap[] = [];
  let next = from;
  let known = 0;
  const leap = (to: bigint, reason: Gap['reason']) => {
    if (to <= next) return;
    gaps.push({ from: next, to, reason });
    next = to;
  };
  const leapTo = (to: bigint) => {
    for (let gap = fetched.gaps[known]; gap !== undefined && gap.from < to; gap = fetched.gaps[(known += 1)]) {
      leap(gap.from, 'absent');
      leap(gap.to, gap.reason);
    }
    leap(to, 'absent');
  };
  const isBelow = (fetched.records[0]?.offset ?? from) < from;
  const records = isBelow ? fetched.records.filter(({ offset }) => offset >= from) : fetched.records;
  for (const { offset } of records) {
    if (offset !== next) leapTo(offset);
    next = offset + 1n;
  }
  leapTo(fetched.last + 1n);
  // All that was returned lies below the position: compaction took the rest. One step, or it is asked for for ever.
  if (next === from) leap(from + 1n, 'absent');
  return { from, next, records, gaps: mergeGaps(gaps) };
};
