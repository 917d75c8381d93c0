import { valueSha256 } from '../schemas/record-hash.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import { originalOf } from '../sinks/dead-letter-topic.ts';
import type { LedgerLetter } from '../sinks/immudb/letters.ts';

/** The record that a dead letter is of, as it was; or why it cannot be had. `record` is a view: copy what is kept. */
export type Original =
  { readonly ok: true; readonly record: KafkaRecord } | { readonly ok: false; readonly why: string };

/** A dead letter of the ledger with its record from the dead-letter topic. */
export type FoundLetter = LedgerLetter & { readonly topic: string; readonly original: Original };

/** The record at a place of the dead-letter topic; null when there is none. */
export type ReadLetter = (partition: number, offset: bigint) => Promise<KafkaRecord | null>;

/**
 * Reads the very copy that the ledger names, so that others which a crash left on the topic never show, and compares it
 * with what the ledger states of it: a record that is not that one is not taken for it.
 */
export const findOriginal = async (
  letter: LedgerLetter,
  topic: string,
  deadLetterLog: number,
  read: ReadLetter,
): Promise<Original> => {
  const { dlq, sha256 } = letter.dead;
  if (dlq.log !== deadLetterLog) return unreadable('its dead-letter topic was replaced');
  const copy = await read(dlq.partition, dlq.offset);
  if (copy === null) return unreadable(`there is no record at ${dlq.partition}/${dlq.offset.toString()} of the topic`);
  const original = originalOf(copy);
  const { partition, offset } = letter.at;
  const isSame = original?.record.partition === partition && original.record.offset === offset;
  if (!isSame || original.topic !== topic) return unreadable('the record at its place is of another dead letter');
  if (valueSha256(copy.value) !== sha256)
    return unreadable('the record at its place has other bytes than the ledger states');
  return { ok: true, record: original.record };
};

const unreadable = (why: string): Original => ({ ok: false, why });
