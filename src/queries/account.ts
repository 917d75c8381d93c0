import type { LedgerClient } from '../sinks/immudb/client.ts';
import type { PartitionAccount } from './audit/coverage.ts';
import { audit, type AuditOptions } from './audit.ts';
import { deviationText } from './audit/deviations.ts';

export type Account = {
  readonly transactions: bigint;
  readonly partitions: readonly PartitionAccount[];
  readonly deadByCode: ReadonlyMap<string, number>;
  /** Each deviation, named with its transaction. None: every covered offset is accounted for exactly once. */
  readonly deviations: readonly string[];
};

/** What the ledger says of every offset, by the auditor, without what lies outside of the ledger. */
export const accountFor = async (
  client: LedgerClient,
  options: Pick<AuditOptions, 'onEvent' | 'onDuplicate'> = {},
): Promise<Account> => {
  const { end, partitions, deadByCode, deviations } = await audit(client, options);
  return { transactions: end.id, partitions, deadByCode, deviations: deviations.listed.map(deviationText) };
};
