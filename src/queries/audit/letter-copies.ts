import { valueSha256 } from '../../schemas/record-hash.ts';
import type { KafkaRecord } from '../../schemas/record.ts';
import type { Span } from './coverage.ts';
import type { Deviations } from './deviations.ts';
import type { LogReader, LogSlice } from './originals.ts';

/** Dead letters whose copy on the dead-letter topic is the record; those that were looked for; those that are gone. */
export type LettersTally = { held: number; of: number; gone: number };

export type LetterCopies = {
  /** Looks for each dead letter that the marks of a transaction state. */
  compare(tx: bigint, span: Span): Promise<void>;
  tally(): LettersTally;
};

/** `sourceTopic`: where the records at fault came from. */
export const letterCopies = async (
  reader: LogReader,
  sourceTopic: string,
  deviations: Deviations,
): Promise<LetterCopies> => {
  const bounds = await reader.bounds();
  const slices = new Map<number, LogSlice>();
  const tally: LettersTally = { held: 0, of: 0, gone: 0 };

  /** Letters of one partition mostly stand in the order of the ledger; orphans of a crash may lie between. */
  const find = async (partition: number, offset: bigint): Promise<KafkaRecord | null> => {
    const known = slices.get(partition);
    const slice = known && known.from <= offset && offset < known.next ? known : await reader.read(partition, offset);
    if (slice === null) return null;
    slices.set(partition, slice);
    return slice.records.find((record) => record.offset === offset) ?? null;
  };

  const compare = async (tx: bigint, span: Span): Promise<void> => {
    for (const { offset, code, dlq, sha256 } of span.mark.dead) {
      const where = `${dlq.partition}@${dlq.offset.toString()} of the dead-letter topic`;
      const deviate = (what: string) => {
        const at = `partition ${span.partition} offset ${offset.toString()}`;
        deviations.add('dead-letter', { tx, key: span.key }, `${at}: ${what} (${where})`);
      };
      if (dlq.offset < (bounds.get(dlq.partition)?.start ?? 0n)) {
        tally.gone += 1;
        continue;
      }
      tally.of += 1;
      const record = await find(dlq.partition, dlq.offset);
      const fault =
        record === null
          ? 'its copy is not there'
          : faultOf(record, sha256, { ...placeOf(sourceTopic, span, offset), code });
      if (fault === null) tally.held += 1;
      else deviate(fault);
    }
  };
  return { compare, tally: () => tally };
};

const placeOf = (topic: string, { partition }: Span, offset: bigint) => ({
  topic,
  partition: String(partition),
  offset: String(offset),
});

const prefix = '__immutrail.errors.';

const faultOf = (record: KafkaRecord, sha256: string, due: Readonly<Record<string, string>>): string | null => {
  if (valueSha256(record.value) !== sha256) return 'its copy is another record';
  const stated = new Map(record.headers.map(([name, value]) => [name, value?.toString()]));
  const wrong = Object.entries(due).find(([name, value]) => stated.get(prefix + name) !== value);
  return wrong === undefined ? null : `its copy is of another ${wrong[0]}`;
};
