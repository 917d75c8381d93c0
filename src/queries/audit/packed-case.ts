import { eventPrefix } from '../../sinks/immudb/format/keys.ts';
import { isPostingKey, parseKey } from '../../sinks/immudb/format/parse-key.ts';
import type { FoundPosting, TxContents } from './contents.ts';
import type { CasedEvent, TxCase } from './judge.ts';

/**
 * A transaction to be judged as it goes to another thread: one piece of memory that is handed over, and plain numbers,
 * since every object costs on its way.
 */
export type PackedCase = {
  readonly nentries: number;
  readonly eH: Uint8Array;
  /** Key and value of each entry, one after the other, and where each of them ends. */
  readonly bytes: ArrayBuffer;
  readonly ends: Uint32Array;
  readonly events: {
    /** For each: which entry, bytes of its JSON, which ends one byte before the value does, log, partition. */
    readonly places: Uint32Array;
    readonly offsets: BigInt64Array;
    /** 64 hexadecimal digits each; zero bytes where the bytes are not the record's own. */
    readonly sha256s: Uint8Array;
  };
  /** Which entries. */
  readonly postings: Uint32Array;
};

const perEvent = 4;
const sha256Digits = 64;

/** Null for what no writer makes: metadata. */
export const packCase = (
  { header, entries }: Pick<TxCase, 'header' | 'entries'>,
  contents: TxContents,
): PackedCase | null => {
  if (entries.some(({ metadata }) => metadata !== null)) return null;
  const size = entries.reduce((sum, { storedKey, storedValue }) => sum + storedKey.length + storedValue.length, 0);
  const bytes = Buffer.from(new ArrayBuffer(size));
  const ends = new Uint32Array(2 * entries.length);
  let at = 0;
  for (const [i, { storedKey, storedValue }] of entries.entries()) {
    bytes.set(storedKey, at);
    ends[2 * i] = at += storedKey.length;
    bytes.set(storedValue, at);
    ends[2 * i + 1] = at += storedValue.length;
  }
  return {
    nentries: header.nentries,
    eH: header.eH,
    bytes: bytes.buffer,
    ends,
    events: packEvents(contents),
    postings: Uint32Array.from(contents.postings, ({ entry }) => entry),
  };
};

const packEvents = ({ events }: TxContents): PackedCase['events'] => {
  const places = new Uint32Array(perEvent * events.length);
  const offsets = new BigInt64Array(events.length);
  const sha256s = Buffer.alloc(sha256Digits * events.length);
  for (const [i, { entry, source, json }] of events.entries()) {
    places.set([entry, json.length, source.log, source.partition], perEvent * i);
    offsets[i] = source.offset;
    if (source.encoding === 'json') sha256s.write(source.sha256, sha256Digits * i, 'latin1');
  }
  return { places, offsets, sha256s };
};

/** What was packed; its buffers are views of the memory that was handed over. */
export const unpackCase = ({ nentries, eH, bytes, ends, events, postings }: PackedCase): TxCase => {
  const part = (from: number, to: number) => Buffer.from(bytes, from, to - from);
  const endOf = (half: number): number => (half < 0 ? 0 : (ends[half] ?? 0));
  const entries = Array.from({ length: ends.length / 2 }, (_, i) => ({
    storedKey: part(endOf(2 * i - 1), endOf(2 * i)),
    storedValue: part(endOf(2 * i), endOf(2 * i + 1)),
    metadata: null,
  }));
  const sha256s = Buffer.from(events.sha256s.buffer, events.sha256s.byteOffset, events.sha256s.length);
  const keyOf = (entry: number): string => entries[entry]?.storedKey.toString('latin1', 1) ?? '';
  return {
    header: { nentries, eH },
    entries,
    events: Array.from(events.offsets, (offset, i): CasedEvent => {
      const [entry = 0, length = 0, log = 0, partition = 0] = events.places.subarray(perEvent * i, perEvent * (i + 1));
      const [key, end] = [keyOf(entry), endOf(2 * entry + 1) - 1];
      const at = { log, partition, offset };
      const sha256 =
        sha256s[sha256Digits * i] === 0 ? null : sha256s.toString('latin1', sha256Digits * i, sha256Digits * (i + 1));
      return { key, eventId: key.slice(eventPrefix.length), at, json: part(end - length, end), sha256 };
    }),
    postings: Array.from(postings, (entry): FoundPosting => {
      const key = keyOf(entry);
      return { key, entry, place: placeOf(key), value: entries[entry]?.storedValue.subarray(1) ?? Buffer.alloc(0) };
    }),
  };
};

const placeOf = (key: string): FoundPosting['place'] => {
  const parsed = parseKey(key);
  if (parsed.kind === 'unknown' || !isPostingKey(parsed)) throw new TypeError(`${key} was taken for a posting`);
  return parsed;
};
