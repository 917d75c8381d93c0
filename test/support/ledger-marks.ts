import type { Mark } from '../../src/sinks/immudb/format/mark-value.ts';
import { decodeMark } from '../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../src/sinks/immudb/format/parse-key.ts';
import type { Addresses, Site } from './pipeline-process.ts';
import { siteClient } from './site-account.ts';

export type WrittenMark = {
  readonly tx: bigint;
  readonly log: number;
  readonly partition: number;
  readonly mark: Mark;
};

const pageSize = 100;

/** Every mark of the site's ledger, oldest first, as its transactions hold them. */
export const marksOf = async (stack: Addresses, site: Pick<Site, 'database'>): Promise<readonly WrittenMark[]> => {
  const client = await siteClient(stack, site);
  try {
    const marks: WrittenMark[] = [];
    for (let from = 1n; ; from += BigInt(pageSize)) {
      const txs = await client.txScan(from, pageSize, 'raw');
      for (const { header, entries } of txs) {
        for (const { storedKey, storedValue } of entries) {
          const key = Buffer.from(storedKey.subarray(1)).toString('latin1');
          const parsed = parseKey(key);
          if (parsed.kind !== 'mark') continue;
          const { log, partition } = parsed;
          marks.push({ tx: header.id, log, partition, mark: decodeMark(key, storedValue.subarray(1)) });
        }
      }
      if (txs.length < pageSize) return marks;
    }
  } finally {
    await client.close();
  }
};
