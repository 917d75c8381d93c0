import type { LedgerEntry } from '../sinks/immudb/answers.ts';
import {
  postingPrefix,
  postingSeek,
  spanLevels,
  spanWidthUs,
  timeHead,
  type PostingHead,
  type SpanLevel,
} from '../sinks/immudb/format/keys.ts';
import { isPostingKey, parseKey } from '../sinks/immudb/format/parse-key.ts';
import { decodePosting, decodeTimePosting, type EventRow } from '../sinks/immudb/format/posting-value.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';

/** An event as a posting lists it, with the transaction that both lie in. */
export type PostedEvent = EventRow & { readonly tx: bigint };

export type PostedRange = {
  readonly head: PostingHead;
  /** Unix microseconds: from here on, and before there. */
  readonly fromUs: number;
  readonly toUs: number;
  /** Postings of later transactions are passed over, so that what is read stays the same while events arrive. */
  readonly snapshotTx: bigint;
};

type ReadLedger = Pick<Ledger, 'client' | 'reads'>;

/** Postings asked for at once; some have a thousand rows. */
const pageSize = 64;

/**
 * The events of one list, oldest first, in order of (time, event_id), merged from its three spans as
 * docs/ledger-format.md says. Every posting that counts is proven to be in its transaction. That no posting was kept
 * back is not proven: they are found by immudb's index.
 */
export async function* postedEvents(ledger: ReadLedger, range: PostedRange): AsyncGenerator<PostedEvent> {
  const spans = spanLevels.map((span) => spanReader(ledger, range, span));
  let waiting: PostedEvent[] = [];
  for (;;) {
    const times = await Promise.all(spans.map((span) => span.nextTime()));
    const next = Math.min(...times);
    const given = waiting.findIndex(({ timeUs }) => timeUs >= next);
    const due = given === -1 ? waiting : waiting.slice(0, given);
    yield* due;
    if (next === Infinity) return;
    const rows = (await spans[times.indexOf(next)]?.take()) ?? [];
    waiting = [...waiting.slice(due.length), ...rows].sort(byTimeAndId);
  }
}

const byTimeAndId = (a: EventRow, b: EventRow): number => a.timeUs - b.timeUs || (a.eventId < b.eventId ? -1 : 1);

/** One span of a list, posting by posting in order of their smallest times. */
const spanReader = ({ client, reads }: ReadLedger, range: PostedRange, span: SpanLevel) => {
  const { head, fromUs, toUs, snapshotTx } = range;
  const prefix = Buffer.from(postingPrefix(head, span));
  // A posting that begins a whole width before cannot hold the first time that is wanted.
  const firstKey = Buffer.from(postingSeek(head, span, Math.max(0, fromUs - spanWidthUs[span])));
  let seek = { seekKey: firstKey, inclusiveSeek: true };
  let page: LedgerEntry[] = [];
  let isEnded = false;

  const fill = async (): Promise<void> => {
    page = await client.scan({ prefix, ...seek, limit: pageSize });
    isEnded = page.length < pageSize;
    const last = page.at(-1);
    if (last !== undefined) seek = { seekKey: Buffer.from(last.key), inclusiveSeek: false };
  };
  return {
    /** Key time of the next posting; Infinity when there is none that begins before the end. */
    nextTime: async (): Promise<number> => {
      while (page.length === 0 && !isEnded) await fill();
      const [next] = page;
      const timeUs = next === undefined ? Infinity : timeOf(next);
      return timeUs < toUs ? timeUs : Infinity;
    },
    take: async (): Promise<readonly PostedEvent[]> => {
      const entry = page.shift();
      if (entry === undefined || entry.tx > snapshotTx) return [];
      await reads.verifyEntry(entry);
      const key = entry.key.toString();
      const rows = head === timeHead ? decodeTimePosting(key, entry.value) : decodePosting(key, entry.value);
      const wanted = rows.filter(({ timeUs }) => timeUs >= fromUs && timeUs < toUs);
      return wanted.map(({ timeUs, eventId }) => ({ timeUs, eventId, tx: entry.tx }));
    },
  };
};

const timeOf = ({ key }: LedgerEntry): number => {
  const parsed = parseKey(key.toString());
  // What is no posting of ours has no rows that could be given out: it comes first, and decoding refuses it.
  return isPostingKey(parsed) ? parsed.timeUs : 0;
};
