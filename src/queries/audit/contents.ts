import { PipelineError } from '../../errors.ts';
import { recordSha256, valueSha256 } from '../../schemas/record-hash.ts';
import type { Tx, TxEntry } from '../../sinks/immudb/answers.ts';
import { decodeDead, type DeadState } from '../../sinks/immudb/format/dead-value.ts';
import type { EventSource } from '../../sinks/immudb/format/event-source.ts';
import { openEventValue } from '../../sinks/immudb/format/event-value.ts';
import { decodeFormat, type LedgerFormat } from '../../sinks/immudb/format/format-value.ts';
import type { Coordinates } from '../../sinks/immudb/format/keys.ts';
import { decodeLog, type LogEntry } from '../../sinks/immudb/format/log-value.ts';
import { decodeMark, type Mark } from '../../sinks/immudb/format/mark-value.ts';
import { isPostingKey, parseKey, type LedgerKey, type PostingKey } from '../../sinks/immudb/format/parse-key.ts';
import type { DeviationKind, Deviations } from './deviations.ts';

export type FoundEvent = {
  readonly key: string;
  /** Which entry of the transaction it is, from 0. */
  readonly entry: number;
  readonly eventId: string;
  readonly source: EventSource;
  readonly json: Buffer;
};
export type FoundMark = { readonly key: string; readonly log: number; readonly partition: number; readonly mark: Mark };
export type FoundDead = { readonly key: string; readonly at: Coordinates; readonly dead: DeadState };
export type FoundPosting = {
  readonly key: string;
  readonly entry: number;
  readonly place: PostingKey;
  readonly value: Buffer;
};
export type FoundLog = { readonly key: string; readonly log: number; readonly entry: LogEntry };

/** What a transaction says, each key and value decoded once. */
export type TxContents = {
  readonly id: bigint;
  readonly events: FoundEvent[];
  readonly marks: FoundMark[];
  readonly dead: FoundDead[];
  readonly postings: FoundPosting[];
  readonly logs: FoundLog[];
  readonly formats: { readonly key: string; readonly format: LedgerFormat }[];
  /** Events whose record is not there as it should be. */
  readonly faulty: Set<string>;
  /** By their keys, whether or not their values could be decoded. */
  readonly counts: { events: number; postings: number };
};

const plainPrefix = 0;

/** Decodes every entry; what cannot be decoded, or is not what its own hashes say, is named and left out. */
export const contentsOf = ({ header, entries }: Tx, deviations: Pick<Deviations, 'add'>): TxContents => {
  const contents: TxContents = {
    id: header.id,
    ...{ events: [], marks: [], dead: [], postings: [], logs: [], formats: [] },
    faulty: new Set(),
    counts: { events: 0, postings: 0 },
  };
  for (const [at, entry] of entries.entries()) {
    const key = entry.storedKey.toString('latin1', 1);
    const deviate = (kind: DeviationKind, what: string) => deviations.add(kind, { tx: header.id, key }, what);
    const fault = faultOfEntry(entry);
    if (fault !== null) deviate('metadata', fault);
    if (entry.storedValue[0] === plainPrefix)
      readEntry(contents, { key, at, value: entry.storedValue.subarray(1) }, deviate);
  }
  return contents;
};

/** The writer sets no metadata and makes no references. */
const faultOfEntry = ({ storedKey, storedValue, metadata }: TxEntry): string | null => {
  if (metadata?.deleted === true) return 'the key is deleted';
  if (metadata !== null) return 'the entry expires or is hidden from the index, which no writer of this format does';
  if (storedKey[0] !== plainPrefix) return 'the key is not one of plain keys and values';
  return storedValue[0] === plainPrefix ? null : 'the entry is a reference or has no value';
};

type Deviate = (kind: DeviationKind, what: string) => void;

/** `at`: which entry it is, from 0. */
type PlainEntry = { readonly key: string; readonly at: number; readonly value: Buffer };

const readEntry = (contents: TxContents, entry: PlainEntry, deviate: Deviate): void => {
  const { key } = entry;
  const parsed = parseKey(key);
  if (parsed.kind === 'unknown') {
    deviate('format', `key ${key.slice(0, 100)} is not of this format`);
    return;
  }
  if (parsed.kind === 'event') contents.counts.events += 1;
  if (isPostingKey(parsed)) contents.counts.postings += 1;
  try {
    readAs(contents, parsed, entry, deviate);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    deviate('format', error.message.replace(`ledger format, ${key}: `, ''));
  }
};

const readAs = (
  contents: TxContents,
  parsed: Exclude<LedgerKey, { kind: 'unknown' }>,
  entry: PlainEntry,
  deviate: Deviate,
): void => {
  const { key, at, value } = entry;
  if (parsed.kind === 'event') contents.events.push(eventOf(contents, parsed.eventId, entry, deviate));
  else if (isPostingKey(parsed)) contents.postings.push({ key, entry: at, place: parsed, value });
  else if (parsed.kind === 'mark') {
    const { log, partition } = parsed;
    contents.marks.push({ key, log, partition, mark: decodeMark(key, value) });
  } else if (parsed.kind === 'dead') {
    const { log, partition, offset } = parsed;
    contents.dead.push({ key, at: { log, partition, offset }, dead: decodeDead(key, value) });
  } else if (parsed.kind === 'log') contents.logs.push({ key, log: parsed.log, entry: decodeLog(key, value) });
  else contents.formats.push({ key, format: decodeFormat(key, value) });
};

/** Of a framed record the bytes are in the source; those of others are judged with the event itself. */
const eventOf = (
  { faulty }: TxContents,
  eventId: string,
  { key, at, value }: PlainEntry,
  deviate: Deviate,
): FoundEvent => {
  const { source, json } = openEventValue(key, value);
  const { encoding, original, sha256 } = source;
  const fault = (what: string): void => {
    faulty.add(eventId);
    deviate('event', what);
  };
  if (encoding !== 'json' && original === undefined)
    fault(`it is said to be ${encoding}, but the record's bytes are not there`);
  else if (encoding !== 'json' && original !== undefined && valueSha256(original) !== sha256)
    fault('its bytes do not have the hash that its source states');
  return { key, entry: at, eventId, source, json };
};

/** The record's hash, made anew of what the ledger keeps of it. Headers that were left out leave it open. */
export const hasItsRecordHash = ({ source, json }: FoundEvent): boolean => {
  if (source.headersOmitted > 0) return true;
  const { partition, offset, timestamp, timestampType, key, headers, original } = source;
  const value = source.encoding === 'json' ? json : (original ?? null);
  return recordSha256({ partition, offset, timestamp, timestampType, key, headers, value }) === source.recordSha256;
};
