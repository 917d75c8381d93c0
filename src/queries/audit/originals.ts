import { recordSha256, valueSha256 } from '../../schemas/record-hash.ts';
import type { EventSource } from '../../sinks/immudb/format/event-source.ts';
import { boundHeaders } from '../../sinks/immudb/format/source-headers.ts';
import type { Gap, KafkaRecord } from '../../schemas/record.ts';
import type { Span } from './coverage.ts';
import type { Deviations } from './deviations.ts';
import type { Statement } from './statements.ts';

/** What lies at the offsets from `from` up to, not including, `next` of one partition, which is above `from`. */
export type LogSlice = {
  readonly from: bigint;
  readonly next: bigint;
  readonly records: readonly KafkaRecord[];
  readonly gaps: readonly Gap[];
};

/** A topic read without a group. Errors are PipelineErrors; reads have deadlines. */
export type LogReader = {
  /** Where each partition begins and ends now. */
  bounds(): Promise<ReadonlyMap<number, { readonly start: bigint; readonly end: bigint }>>;
  /** Records may vanish from among others. */
  readonly isCompacted: boolean;
  /** Null: nothing can be read from there on (it is the end, or Kafka has deleted it). */
  read(partition: number, from: bigint): Promise<LogSlice | null>;
};

export type OriginalsTally = {
  /** Records that are what the ledger says of them. */
  held: bigint;
  /** Offsets that were compared. */
  of: bigint;
  /** Offsets that Kafka has no more. */
  gone: bigint;
};

export type Originals = {
  /** Compares all that a transaction says of one partition with what Kafka has. False: Kafka has not all of it. */
  compare(tx: bigint, span: Span): Promise<boolean>;
  tally(): OriginalsTally;
};

/** Compares one life of a topic, partition by partition, a fetch ahead; memory is that of the reader's answers. */
export const originals = async (reader: LogReader, deviations: Deviations): Promise<Originals> => {
  const starts = new Map([...(await reader.bounds())].map(([partition, { start }]) => [partition, start]));
  const { isCompacted } = reader;
  const windows = new Map<number, Window>();
  const tally: OriginalsTally = { held: 0n, of: 0n, gone: 0n };
  const windowOf = (partition: number): Window => {
    const known = windows.get(partition) ?? slidingWindow((from) => reader.read(partition, from));
    windows.set(partition, known);
    return known;
  };

  return {
    compare: async (tx, span) => {
      const { partition, mark, statements } = span;
      const start = starts.get(partition);
      if (start === undefined) {
        deviations.add('original', { tx, key: span.key }, `Kafka has no partition ${partition}`);
        return false;
      }
      const from = mark.first > start ? mark.first : start;
      if (from >= mark.next) {
        tally.gone += mark.next - mark.first;
        return mark.next === mark.first;
      }
      tally.gone += from - mark.first;
      const found = await windowOf(partition).between(from, mark.next);
      if (found.end < mark.next && (await isGone(reader, partition, found.end))) {
        // Retention went on meanwhile.
        starts.set(partition, mark.next);
        tally.gone += mark.next - from;
        return false;
      }
      compareAll({ tx, span, from, deviations, tally, isCompacted }, statements, found.records);
      return from === mark.first && !isCompacted;
    },
    tally: () => tally,
  };
};

const isGone = async (reader: LogReader, partition: number, offset: bigint): Promise<boolean> =>
  ((await reader.bounds()).get(partition)?.start ?? 0n) > offset;

type Window = {
  /** Records at the offsets from `from` up to `to`; `end` is below `to` when Kafka has nothing further. */
  between(from: bigint, to: bigint): Promise<{ readonly records: readonly KafkaRecord[]; readonly end: bigint }>;
};

/** Reads forward; the next slice is on its way while one is looked at. */
const slidingWindow = (read: (from: bigint) => Promise<LogSlice | null>): Window => {
  let slice: LogSlice | null = null;
  let ahead: { readonly from: bigint; readonly slice: Promise<LogSlice | null> } | null = null;
  const fetch = (from: bigint) => {
    const fetched = read(from);
    fetched.catch(() => undefined); // met when its turn comes
    return { from, slice: fetched };
  };
  const sliceAt = async (offset: bigint): Promise<LogSlice | null> => {
    if (slice !== null && slice.from <= offset && offset < slice.next) return slice;
    const fetched = ahead?.from === offset ? ahead : fetch(offset);
    ahead = null;
    slice = await fetched.slice;
    if (slice !== null) ahead = fetch(slice.next);
    return slice;
  };
  return {
    between: async (from, to) => {
      const records: KafkaRecord[] = [];
      let at = from;
      while (at < to) {
        const found = await sliceAt(at);
        if (found === null) return { records, end: at };
        for (const record of found.records) if (record.offset >= at && record.offset < to) records.push(record);
        at = found.next;
      }
      return { records, end: to };
    },
  };
};

type Comparison = {
  readonly tx: bigint;
  readonly span: Span;
  readonly from: bigint;
  readonly deviations: Deviations;
  readonly tally: OriginalsTally;
  readonly isCompacted: boolean;
};

/** Walks both lists in the order of offsets. */
const compareAll = (to: Comparison, statements: readonly Statement[], records: readonly KafkaRecord[]): void => {
  let at = 0;
  for (const statement of statements) {
    if (statement.to <= to.from) continue;
    const own: KafkaRecord[] = [];
    for (; at < records.length; at += 1) {
      const record = records[at];
      if (record === undefined || record.offset >= statement.to) break;
      if (record.offset >= statement.from) own.push(record);
    }
    const width = statement.to - (statement.from > to.from ? statement.from : to.from);
    if (to.isCompacted && own.length === 0 && statement.kind !== 'gap') {
      to.tally.gone += width;
      continue;
    }
    to.tally.of += width;
    const fault = faultOfStatement(statement, own);
    if (fault === null) to.tally.held += width;
    else {
      const key = statement.kind === 'stored' ? statement.event.key : to.span.key;
      const where = `partition ${to.span.partition} offset ${statement.from.toString()}`;
      to.deviations.add('original', { tx: to.tx, key }, `${where}: ${fault}`);
    }
  }
};

const faultOfStatement = (statement: Statement, found: readonly KafkaRecord[]): string | null => {
  const [record] = found;
  if (statement.kind === 'gap') {
    return record === undefined
      ? null
      : `a gap is stated (${statement.reason}), but Kafka has a record at ${record.offset.toString()}`;
  }
  if (record === undefined) return `it is stated as ${statement.kind}, but Kafka has no record there`;
  if (statement.kind === 'stored') return faultOfStored(statement.event, record);
  return valueSha256(record.value) === statement.row.sha256
    ? null
    : `the record that Kafka has is not the one that is ${statement.kind}`;
};

const faultOfStored = (
  { source, json }: (Statement & { kind: 'stored' })['event'],
  record: KafkaRecord,
): string | null => {
  const isOwn =
    source.encoding === 'json' ? record.value?.equals(json) === true : valueSha256(record.value) === source.sha256;
  if (!isOwn) return 'the record that Kafka has is another one than is stored';
  if (!hasKeyAndHeaders(record, source) || recordSha256(record) !== source.recordSha256)
    return 'key or headers of the record that Kafka has are others than are stored';
  if (record.timestamp !== source.timestamp) return 'the record that Kafka has is of another time';
  return null;
};

const hasKeyAndHeaders = (record: KafkaRecord, { key, headers }: EventSource): boolean => {
  const { kept } = boundHeaders(record.headers);
  return (
    sameBytes(record.key, key) &&
    kept.length === headers.length &&
    kept.every(([name, value], at) => name === headers[at]?.[0] && sameBytes(value, headers[at][1]))
  );
};

const sameBytes = (a: Buffer | null, b: Buffer | null): boolean => (a === null || b === null ? a === b : a.equals(b));
