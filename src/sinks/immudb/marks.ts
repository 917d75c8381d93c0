import type { Standing } from '../sink.ts';
import type { Ledger } from './ledger.ts';
import { markKey } from './format/keys.ts';
import { breakerName, decodeMark, type Mark } from './format/mark-value.ts';

/** The newest marks of these partitions, each proven to be in its transaction; partitions without one are left out. */
export const readMarks = async (
  { client, reads }: Pick<Ledger, 'client' | 'reads'>,
  log: number,
  partitions: readonly number[],
): Promise<ReadonlyMap<number, Standing>> => {
  const byKey = new Map(partitions.map((partition) => [markKey(log, partition), partition]));
  const entries = await client.getAll([...byKey.keys()].map((key) => Buffer.from(key)));
  const standings = new Map<number, Standing>();
  for (const entry of entries) {
    await reads.verifyEntry(entry);
    const key = entry.key.toString();
    const partition = byKey.get(key);
    if (partition === undefined) continue;
    const mark = decodeMark(key, entry.value);
    const { next, last } = mark;
    standings.set(partition, { partition, tx: entry.tx, next, last, ...breakerOf(mark) });
  }
  return standings;
};

const breakerOf = ({ first, next, by, why }: Mark): Pick<Standing, 'breaker'> =>
  first === next && by !== undefined && why !== undefined
    ? { breaker: { isHolding: by === breakerName, by, why } }
    : {};
