import type { Redrive, Sink, StoredEvent } from '../sink.ts';
import { transactionBudget, type BudgetLimits } from './budget.ts';
import { compose, type ComposedTransaction, type LedgerRedrive, type Logs } from './compose.ts';
import { followTo } from './follow.ts';
import { deadKey, eventKey, markKey, type Coordinates } from './format/keys.ts';
import { decodeEventValue } from './format/event-value.ts';
import type { Ledger } from './ledger.ts';
import { readLetters } from './letters.ts';
import { readMarks } from './marks.ts';
import type { RootOf } from './request-root.ts';
import { writer, type WritableLedger } from './write.ts';

export type ImmudbSinkOptions = {
  readonly ledger: Ledger;
  readonly logs: Logs;
  /** Random per process start: stated in each mark. */
  readonly writerId: string;
  readonly limits: BudgetLimits;
  readonly deadlineMs: number;
  /** Refusals of one transaction that nothing explains, before it halts. */
  readonly maxUnexplained: number;
  /** Hashes what is sent, while it is sent. */
  readonly rootOf: RootOf;
  /** Trusts the header of a transaction that was written. Default: once it is followed from what is trusted. */
  readonly follow?: typeof followTo;
};

/** Batches as transactions of an immudb ledger. */
export const immudbSink = (options: ImmudbSinkOptions): Sink => {
  const { ledger, logs, writerId, limits, deadlineMs, follow = followTo } = options;
  const { client, reads } = ledger;

  const find = async (eventIds: readonly string[]): Promise<ReadonlyMap<string, StoredEvent>> => {
    await ready();
    const entries = await client.getAll(eventIds.map((id) => Buffer.from(eventKey(id))));
    const found = new Map<string, StoredEvent>();
    for (const entry of entries) {
      await reads.verifyEntry(entry);
      const { json } = decodeEventValue(entry.key.toString(), entry.value);
      const eventId = entry.key.toString().slice('event/'.length);
      // A copy: what is kept must not pin the whole answer.
      found.set(eventId, { eventId, tx: entry.tx, json: Buffer.from(json) });
    }
    return found;
  };

  const findDeleted = async (composed: ComposedTransaction): Promise<readonly string[]> => {
    const marks = composed.batch.spans.map(({ partition }) => markKey(logs.source, partition));
    const letters = composed.closes.map(({ of }) => deadKey(of));
    const keys = [...marks, ...letters, ...composed.eventIds.map(eventKey)];
    for (const key of keys) {
      const history = await client.history(Buffer.from(key), { limit: 2, desc: true });
      if (history.some(({ metadata, expired }) => metadata?.deleted === true || expired)) return [key];
    }
    return [];
  };

  const redrives = async (of: readonly Redrive['of'][]): Promise<readonly LedgerRedrive[]> => {
    await ready();
    const letters = await readLetters(ledger, of);
    return letters.flatMap(({ at, tx, dead }) => (dead.state === 'redriving' ? [redriveOf(at, tx, dead)] : []));
  };

  const hasActed = async ({ closes }: ComposedTransaction): Promise<boolean> => {
    const now = new Map((await redrives(closes.map(({ of }) => of))).map((one) => [deadKey(one.of), one.tx]));
    return closes.some(({ of, tx }) => now.get(deadKey(of)) !== tx);
  };

  const writable: WritableLedger = {
    set: (request) => client.set(request, { deadlineMs }),
    rootOf: options.rootOf,
    header: async (tx) => (await reads.verifiedTx(tx)).header,
    readMarks: (partitions) => readMarks(ledger, logs.source, partitions),
    find,
    hasActed,
    findDeleted,
    trustedTx: () => ledger.trusted.current().id,
    follow: (header) => follow(ledger, header),
  };
  const write = writer(writable, options.maxUnexplained);

  /** After a lost session nothing that was known of the marks counts any more. */
  const seen = new Set<number>();
  const ready = async () => {
    if (await ledger.ready()) write.stand(await readMarks(ledger, logs.source, [...seen]));
  };

  return {
    open: async (partitions) => {
      await ready();
      for (const partition of partitions) seen.add(partition);
      const standings = await readMarks(ledger, logs.source, partitions);
      write.stand(standings);
      return standings;
    },
    budget: () => transactionBudget(limits),
    find,
    redrives,
    compose: (batch, breathe) => compose(batch, logs, writerId, breathe),
    commit: async (composed) => {
      await ready();
      return await write.commit(composed as ComposedTransaction);
    },
  };
};

const redriveOf = (of: Coordinates, tx: bigint, dead: LedgerRedrive['dead']): LedgerRedrive => {
  const { nonce, expectedSha256, attempt } = dead;
  return { of, tx, nonce, expectedSha256, attempt, dead };
};
