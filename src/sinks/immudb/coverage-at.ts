import { PipelineError } from '../../errors.ts';
import type { Coverage } from '../../proofs/checkpoint-coverage.ts';
import type { ServedEntry } from './verified-read.ts';
import { allMarksPrefix } from './format/keys.ts';
import { decodeMark, type Mark } from './format/mark-value.ts';
import { parseKey } from './format/parse-key.ts';
import type { Ledger } from './ledger.ts';

type ReadLedger = Pick<Ledger, 'client' | 'reads'>;

/** More partitions than this do not fit into one note either. */
const maxMarks = 20_000;

/**
 * What the ledger covers at transaction `tx`, which must be trusted: for each partition with a mark up to there, the
 * `next` of the newest such mark. Every mark that counts is proven to be in its transaction; a mark that was written
 * after `tx` says what was before it. Rejects with LEDGER_PROOF_FAILED, and as reads do.
 */
export const coverageAt = async (ledger: ReadLedger, tx: bigint): Promise<readonly Coverage[]> => {
  const newest = await ledger.client.scan({ prefix: Buffer.from(allMarksPrefix), limit: maxMarks });
  if (newest.length === maxMarks) throw new PipelineError('UNEXPECTED', `more than ${maxMarks} partitions have marks`);
  const covers: Coverage[] = [];
  for (const entry of newest) {
    const next = await nextAt(ledger, entry, tx);
    if (next !== null) covers.push({ ...partitionOf(entry), next });
  }
  return covers;
};

const nextAt = async (ledger: ReadLedger, newest: ServedEntry, tx: bigint): Promise<bigint | null> => {
  let entry = newest;
  let mark = await read(ledger, entry);
  while (entry.tx > tx) {
    const { prev } = mark;
    if (prev === null) return null;
    if (prev.tx <= tx) return prev.next;
    entry = await entryAt(ledger, entry.key, prev.tx);
    mark = await read(ledger, entry);
  }
  return mark.next;
};

const read = async ({ reads }: ReadLedger, entry: ServedEntry): Promise<Mark> => {
  await reads.verifyEntry(entry);
  return decodeMark(keyText(entry), entry.value);
};

const entryAt = async ({ client }: ReadLedger, key: Uint8Array, tx: bigint): Promise<ServedEntry> => {
  const entry = await client.get(key, { atTx: tx });
  if (entry?.tx === tx) return entry;
  const message = `the mark ${Buffer.from(key).toString()} names one in transaction ${tx.toString()}, which is not there`;
  throw new PipelineError('LEDGER_PROOF_FAILED', message);
};

const partitionOf = (entry: ServedEntry): { log: number; partition: number } => {
  const parsed = parseKey(keyText(entry));
  if (parsed.kind !== 'mark') throw new PipelineError('LEDGER_FORMAT_INVALID', `key ${keyText(entry)} is not a mark`);
  return { log: parsed.log, partition: parsed.partition };
};

const keyText = ({ key }: ServedEntry): string => Buffer.from(key).toString('latin1');
