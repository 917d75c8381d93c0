import type { Batch, IHeaders, KafkaMessage } from 'kafkajs';
import type { Gap, Header, KafkaRecord } from '../../schemas/record.ts';
import { mergeGaps } from '../coverage.ts';
import type { Delivery } from '../source.ts';
import type { RawHeaders, RawRecord } from './record-batch.ts';

/** What kafkajs keeps of a record beside its documented shape. */
type RawMessage = Pick<KafkaMessage, 'timestamp' | 'offset' | 'key' | 'value'> & {
  readonly headers?: IHeaders | RawHeaders;
} & Partial<Pick<RawRecord, 'isEmptyBatch' | 'isAborted' | 'batchContext'>>;

/** A kafkajs batch with the parts that tell what was fetched but not delivered. */
export type FetchedBatch = Batch & { readonly fetchedOffset: string; readonly rawMessages: readonly RawMessage[] };

const logAppendTime = 1;
const noHeaders: readonly Header[] = [];

/** Everything that one fetch says of a partition: its records, and for each offset between them, why there is none. */
export const toDelivery = (batch: FetchedBatch, epoch: number): Delivery => {
  const from = BigInt(batch.fetchedOffset);
  const records: KafkaRecord[] = [];
  const gaps: Gap[] = [];
  let next = from;
  let delivered = 0;
  for (const raw of batch.rawMessages) {
    const isDelivered = raw === batch.messages[delivered];
    if (isDelivered) delivered += 1;
    const offset = BigInt(raw.offset);
    if (offset < next) continue;
    if (offset > next) gaps.push({ from: next, to: offset, reason: 'absent' });
    next = offset + 1n;
    if (isDelivered) records.push(toRecord(raw, batch.partition, offset));
    else gaps.push({ from: offset, to: next, reason: reasonOf(raw) });
  }
  // kafkajs steps over one offset when all that was returned lies below the position: compaction took the rest.
  if (next === from && batch.rawMessages.length > 0) {
    next = from + 1n;
    gaps.push({ from, to: next, reason: 'absent' });
  }
  return {
    partition: batch.partition,
    epoch,
    from,
    next,
    records,
    gaps: mergeGaps(gaps),
    logEnd: BigInt(batch.highWatermark),
  };
};

const reasonOf = (raw: RawMessage): Gap['reason'] => {
  if (raw.isEmptyBatch === true) return 'absent';
  return raw.isAborted === true ? 'aborted' : 'control';
};

export const toRecord = (raw: RawMessage, partition: number, offset: bigint): KafkaRecord => ({
  partition,
  offset,
  timestamp: BigInt(raw.timestamp),
  timestampType: raw.batchContext?.timestampType === logAppendTime ? 'append' : 'create',
  key: raw.key,
  value: raw.value,
  headers: toHeaders(raw.headers),
});

const toHeaders = (headers: IHeaders | RawHeaders | undefined): readonly Header[] => {
  const names = headers === undefined ? [] : Object.keys(headers);
  if (headers === undefined || names.length === 0) return noHeaders;
  return names.sort(byBytes).flatMap((name) => {
    const value = headers[name];
    return (Array.isArray(value) ? value : [value]).map((one): Header => [name, bytesOf(one)]);
  });
};

const byBytes = (a: string, b: string) => (a < b ? -1 : Number(a > b));

/** A header's value may be null on the wire, which kafkajs's types do not say. */
const bytesOf = (value: Buffer | string | null | undefined): Buffer | null => {
  if (value === null || value === undefined) return null;
  return Buffer.isBuffer(value) ? value : Buffer.from(value);
};
