/** What operators do to a ledger: make it, open another life of a log, accept a loss. Each is one checked transaction. */
import { randomUUID } from 'node:crypto';
import { PipelineError } from '../../errors.ts';
import { alh, type TxHeader } from '../../proofs/header.ts';
import type { Gap } from '../../schemas/record.ts';
import type { LedgerClient } from './client.ts';
import { encodeFormat, type LedgerSettings } from './format/format-value.ts';
import { formatKey, logKey, markKey } from './format/keys.ts';
import { encodeLog } from './format/log-value.ts';
import { breakerName, encodeMark } from './format/mark-value.ts';
import { followTo } from './follow.ts';
import { newestLog, type Ledger, type Log } from './ledger.ts';
import { readMarks } from './marks.ts';
import { isRootOf, rootOfRequest } from './request-root.ts';
import { sha256 } from './sha256.ts';
import { transaction } from './transaction.ts';
import type { TrustedLedger } from './trusted-state-file.ts';

export type NewLedger = {
  readonly database: string;
  readonly group: string;
  readonly settings: LedgerSettings;
  readonly clusterId: string;
  readonly topics: readonly string[];
  readonly by: string;
  readonly now: Date;
};

export type NewEntry = { readonly key: string; readonly value: Buffer; readonly notModifiedAfter: bigint };

/**
 * Writes transaction 1 (the format, alone) and 2 (the first life of each topic) into an empty database. Returns what to
 * trust from then on. Rejects with LEDGER_NOT_EMPTY before anything is written.
 */
export const makeLedger = async (client: LedgerClient, options: NewLedger): Promise<TrustedLedger> => {
  const { txId } = await client.currentState();
  if (txId !== 0n) {
    throw new PipelineError('LEDGER_NOT_EMPTY', `database ${options.database} has ${txId.toString()} transactions`);
  }
  const { database, group, settings, now } = options;
  const ledgerId = randomUUID();
  const format = encodeFormat({ ledgerId, group, created: now.toISOString(), settings });
  const first = await writeChecked(client, [{ key: formatKey, value: format, notModifiedAfter: 1n }]);
  if (first.id !== 1n) {
    throw new PipelineError('LEDGER_NOT_EMPTY', `somebody else wrote to database ${database} at the same moment`);
  }
  const genesis = alh(first, sha256);
  const { clusterId, by } = options;
  const logs = options.topics.map((topic, index): NewEntry => ({
    key: logKey(index + 1),
    value: encodeLog({ clusterId, topic, incarnation: 1, openedBy: by, why: 'init' }),
    notModifiedAfter: 1n,
  }));
  await writeChecked(client, logs);
  return { ledgerId, database, genesis, chain: { id: 1n, alh: genesis, frontier: null } };
};

/** Opens the next life of a topic: from its log start, under a number of its own. */
export const reopenLog = async (
  ledger: Ledger,
  next: { topic: string; clusterId: string; by: string; why: string },
): Promise<Log> => {
  await ledger.ready();
  const logs = await ledger.logs();
  const { topic, clusterId } = next;
  const number = Math.max(0, ...logs.map((log) => log.number)) + 1;
  const incarnation = (newestLog(logs, topic)?.incarnation ?? 0) + 1;
  const log = { clusterId, topic, incarnation, openedBy: next.by, why: next.why };
  const header = await writeChecked(ledger.client, [
    { key: logKey(number), value: encodeLog(log), notModifiedAfter: 1n },
  ]);
  await followTo(ledger, header);
  return { ...log, number };
};

/** States a loss as covered, by a person: the mark moves over the gap and says who accepted it and why. */
export const acceptGap = async (
  ledger: Ledger,
  accepted: { log: number; partition: number; logStart: bigint; by: string; why: string },
): Promise<{ gap: Gap; tx: bigint }> => {
  await ledger.ready();
  const { log, partition, logStart, by, why } = accepted;
  const standing = (await readMarks(ledger, log, [partition])).get(partition);
  if (standing === undefined || standing.next >= logStart) {
    throw new PipelineError('GAP_NOTHING_TO_ACCEPT', `nothing of partition ${partition} lies below the log start`);
  }
  const gap: Gap = { from: standing.next, to: logStart, reason: 'below_log_start' };
  const value = encodeMark({
    first: gap.from,
    next: gap.to,
    prev: { tx: standing.tx, next: standing.next },
    last: standing.last,
    stored: 0,
    duplicates: [],
    dead: [],
    gaps: [gap],
    writer: randomUUID(),
    unchecked: true,
    by,
    why,
  });
  const entry = { key: markKey(log, partition), value, notModifiedAfter: standing.tx };
  const header = await writeChecked(ledger.client, [entry]);
  await followTo(ledger, header);
  return { gap, tx: header.id };
};

/** Lets a partition go on that the breaker holds: a mark that covers nothing says who did it and why. */
export const releaseBreaker = async (
  ledger: Ledger,
  released: { log: number; partition: number; by: string; why: string },
): Promise<{ next: bigint; tx: bigint }> => {
  await ledger.ready();
  const { log, partition, by, why } = released;
  requireOperatorName(by);
  const standing = (await readMarks(ledger, log, [partition])).get(partition);
  if (standing?.breaker?.isHolding !== true) {
    throw new PipelineError('BREAKER_NOT_HOLDING', `the breaker does not hold partition ${partition}`);
  }
  const { tx, next, last } = standing;
  const value = encodeMark({
    ...{ first: next, next, prev: { tx, next }, last, stored: 0, duplicates: [], dead: [], gaps: [] },
    ...{ writer: randomUUID(), by, why },
  });
  const header = await writeChecked(ledger.client, [{ key: markKey(log, partition), value, notModifiedAfter: tx }]);
  await followTo(ledger, header);
  return { next, tx: header.id };
};

/** Throws USAGE for the name under which the breaker holds partitions: under it, a release would be a hold. */
export const requireOperatorName = (by: string): void => {
  if (by === breakerName) throw new PipelineError('USAGE', `${breakerName} is the breaker's own name: say who you are`);
};

export const writeChecked = async (client: LedgerClient, entries: readonly NewEntry[]): Promise<TxHeader> => {
  const tx = transaction();
  for (const { key, value, notModifiedAfter } of entries) tx.add(key, value, notModifiedAfter);
  const sent = rootOfRequest(tx.request());
  const header = await client.set(tx.request());
  tx.release();
  if (isRootOf(sent, header)) return header;
  throw new PipelineError('LEDGER_HEADER_MISMATCH', `transaction ${header.id.toString()} is not what was sent`);
};
