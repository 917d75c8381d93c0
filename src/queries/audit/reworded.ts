import { sameContent } from '../../schemas/canonical.ts';
import { isFramed } from '../../schemas/registry/framed.ts';
import { valueSha256 } from '../../schemas/record-hash.ts';
import type { KafkaRecord } from '../../schemas/record.ts';
import type { LedgerClient } from '../../sinks/immudb/client.ts';
import { eventKey } from '../../sinks/immudb/format/keys.ts';
import { contentsOf, type FoundEvent, type TxContents } from './contents.ts';
import type { Deviations } from './deviations.ts';
import type { OtherBytes, Unsettled } from './once-ever.ts';

/** Duplicates whose record has other bytes than the event that is stored. */
export type RewordedTally = {
  /** Of the same content, as the pipeline judges it. */
  held: number;
  /** Compared. */
  of: number;
  /** Not compared: Kafka has the record no more, it needs a schema registry, or there are too many. */
  gone: number;
};

export type RewordedReads = {
  readonly client: Pick<LedgerClient, 'txById'>;
  readonly patiently: <T>(doing: string, read: () => Promise<T>) => Promise<T>;
  /** Null: Kafka has it no more, or is not asked for this log. */
  readonly recordAt: (log: number, partition: number, offset: bigint) => Promise<KafkaRecord | null>;
};

/**
 * Compares what a duplicate said with what is stored: other content under the id of an event is a conflict and must be
 * a dead letter, never a duplicate. Both are read again, and held to the hashes that were met before.
 */
export const compareReworded = async (
  { client, patiently, recordAt }: RewordedReads,
  { others, othersCount }: Pick<Unsettled, 'others' | 'othersCount'>,
  deviations: Deviations,
): Promise<RewordedTally> => {
  const tally: RewordedTally = { held: 0, of: 0, gone: othersCount - others.length };

  const read = async (id: bigint): Promise<TxContents | null> => {
    const tx = await patiently(`reading transaction ${id.toString()}`, () => client.txById(id, 'raw'));
    return tx === null ? null : contentsOf(tx, { add: () => undefined }); // what is wrong with it was told before
  };
  const readOnce = lastOf(read);
  const readStatingOnce = lastOf(read);

  const compare = async ({ eventId, tx, of }: OtherBytes): Promise<void> => {
    const stored = (await readOnce(of))?.events.find((event) => event.eventId === eventId);
    const marks = (await readStatingOnce(tx))?.marks ?? [];
    for (const { log, partition, mark } of marks) {
      for (const row of mark.duplicates) {
        if (row.eventId !== eventId || row.sha256 === stored?.source.sha256) continue;
        const record = await recordAt(log, partition, row.offset);
        const same = stored === undefined ? null : isSame(stored, record, row.sha256);
        if (same === null) tally.gone += 1;
        else tally.of += 1;
        if (same === true) tally.held += 1;
        if (same !== false) continue;
        const what = `partition ${partition} offset ${row.offset.toString()} is stated as a duplicate of it, but has another content`;
        deviations.add('duplicate', { tx, key: eventKey(eventId) }, what);
      }
    }
  };

  const pairs = new Map(others.map((pair) => [`${pair.tx.toString()} ${pair.eventId}`, pair]));
  for (const pair of [...pairs.values()].toSorted((a, b) => (a.tx < b.tx ? -1 : 1))) await compare(pair);
  return tally;
};

/** What the pipeline judged by; null: it cannot be told here. A record of another hash was named already. */
const isSame = ({ json }: FoundEvent, record: KafkaRecord | null, sha256: string): boolean | null => {
  const value = record?.value ?? null;
  if (value === null || isFramed(value) || valueSha256(value) !== sha256) return null;
  return sameContent(json, value);
};

/** Remembers the last answer: pairs come sorted. */
const lastOf = <T>(read: (id: bigint) => Promise<T>): ((id: bigint) => Promise<T>) => {
  let last: { readonly id: bigint; readonly answer: Promise<T> } | null = null;
  return async (id) => {
    if (last?.id !== id) last = { id, answer: read(id) };
    return await last.answer;
  };
};
