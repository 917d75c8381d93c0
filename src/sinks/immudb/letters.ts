import { PipelineError } from '../../errors.ts';
import type { LedgerEntry } from './answers.ts';
import { decodeDead, encodeDead, type DeadState } from './format/dead-value.ts';
import { deadKey, deadPartitionPrefix, deadPrefix, type Coordinates } from './format/keys.ts';
import { parseKey } from './format/parse-key.ts';
import type { Ledger } from './ledger.ts';

/** A dead letter as one revision states it, proven to lie in `tx`. Acts are compare-and-set on that transaction. */
export type LedgerLetter = { readonly at: Coordinates; readonly tx: bigint; readonly dead: DeadState };

/** How it stands in the ledger. */
export const letterEntry = ({ at, dead }: LedgerLetter) => ({ key: deadKey(at), value: encodeDead(dead) });

type Reading = Pick<Ledger, 'client' | 'reads'>;

/** Dead letters held in memory at a time. */
const pageSize = 500;
const maxRevisions = 1000;

/** Part of the dead letters of one log; offsets `from` up to, not including, `to`, of that one partition. */
export type LetterRange = {
  readonly log: number;
  readonly partition?: number;
  readonly from?: bigint;
  readonly to?: bigint;
};

/**
 * All dead letters of a range in the order of partition and offset, page by page, each proven. That none was left out
 * is what `immutrail audit` proves, not a scan.
 */
export async function* scanLetters(ledger: Reading, range: LetterRange): AsyncGenerator<LedgerLetter[], void> {
  const { log, partition, from, to } = range;
  const prefix = Buffer.from(partition === undefined ? deadPrefix(log) : deadPartitionPrefix(log, partition));
  const keyOf = (offset: bigint) => Buffer.from(deadKey({ log, partition: partition ?? 0, offset }));
  const end = to !== undefined && partition !== undefined ? { endKey: keyOf(to), inclusiveEnd: false } : {};
  let begin = from !== undefined && partition !== undefined ? { seekKey: keyOf(from), inclusiveSeek: true } : undefined;
  for (;;) {
    const entries = await ledger.client.scan({ prefix, ...begin, ...end, limit: pageSize });
    if (entries.length > 0) yield await provenLetters(ledger, entries);
    const last = entries.at(-1);
    if (last === undefined || entries.length < pageSize) return;
    begin = { seekKey: Buffer.from(last.key), inclusiveSeek: false };
  }
}

/** These dead letters as they stand now; those that do not exist are left out. */
export const readLetters = async (ledger: Reading, ats: readonly Coordinates[]): Promise<LedgerLetter[]> =>
  ats.length === 0
    ? []
    : await provenLetters(ledger, await ledger.client.getAll(ats.map((at) => Buffer.from(deadKey(at)))));

/** Every revision of one dead letter, oldest first, each proven to lie in its transaction; empty: there is none. */
export const letterHistory = async (ledger: Reading, at: Coordinates): Promise<LedgerLetter[]> => {
  const entries = await ledger.client.history(Buffer.from(deadKey(at)), { limit: maxRevisions });
  const deleted = entries.find(({ metadata, expired }) => metadata?.deleted === true || expired);
  if (deleted !== undefined) throw new PipelineError('LEDGER_KEY_DELETED', `key ${deadKey(at)} was deleted`);
  return await provenLetters(ledger, entries);
};

const provenLetters = async ({ reads }: Reading, entries: readonly LedgerEntry[]): Promise<LedgerLetter[]> => {
  const letters: LedgerLetter[] = [];
  for (const entry of entries) {
    await reads.verifyEntry(entry);
    letters.push(letterOf(entry));
  }
  return letters;
};

const letterOf = ({ key, value, tx }: LedgerEntry): LedgerLetter => {
  const text = key.toString();
  const parsed = parseKey(text);
  if (parsed.kind !== 'dead') throw new PipelineError('LEDGER_FORMAT_INVALID', `key ${text} is no dead letter`);
  const { log, partition, offset } = parsed;
  return { at: { log, partition, offset }, tx, dead: decodeDead(text, value) };
};
