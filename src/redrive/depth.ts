import { decodeDead } from '../sinks/immudb/format/dead-value.ts';
import { deadPrefix } from '../sinks/immudb/format/keys.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';

/** Dead letters that are not settled. A gauge, not a proof: `immutrail dlq status` reads with proof. */
export type Depth = {
  readonly byCode: ReadonlyMap<string, number>;
  /** When the longest untouched of them was stated or last acted on, Unix seconds; null: there is none. */
  readonly oldestAt: bigint | null;
};

const pageSize = 1000;

/** One scan over every dead letter, page by page; ends early, with the signal's reason, when that aborts. */
export const readDepth = async (
  { client, logs }: Pick<Ledger, 'client' | 'logs'>,
  signal: AbortSignal,
): Promise<Depth> => {
  const byCode = new Map<string, number>();
  let oldestTx: bigint | null = null;
  for (const { number } of await logs()) {
    let seek: { seekKey: Buffer; inclusiveSeek: false } | undefined;
    for (;;) {
      signal.throwIfAborted();
      const entries = await client.scan({ prefix: Buffer.from(deadPrefix(number)), ...seek, limit: pageSize });
      for (const { key, value, tx } of entries) {
        const { state, code } = decodeDead(key.toString(), value);
        if (state !== 'open' && state !== 'redriving') continue;
        byCode.set(code, (byCode.get(code) ?? 0) + 1);
        if (oldestTx === null || tx < oldestTx) oldestTx = tx;
      }
      const last = entries.at(-1);
      if (last === undefined || entries.length < pageSize) break;
      seek = { seekKey: Buffer.from(last.key), inclusiveSeek: false };
    }
  }
  const oldest = oldestTx === null ? null : await client.txById(oldestTx, 'none');
  return { byCode, oldestAt: oldest?.header.ts ?? null };
};
