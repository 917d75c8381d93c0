import type { Sink, StoredEvent } from '../sink.ts';
import { transactionBudget, type BudgetLimits } from './budget.ts';
import { compose, type ComposedTransaction, type Logs } from './compose.ts';
import { followTo } from './follow.ts';
import { eventKey, markKey } from './format/keys.ts';
import { decodeEventValue } from './format/event-value.ts';
import type { Ledger } from './ledger.ts';
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
};

/** Batches as transactions of an immudb ledger. */
export const immudbSink = (options: ImmudbSinkOptions): Sink => {
  const { ledger, logs, writerId, limits, deadlineMs } = options;
  const { client, reads } = ledger;

  const find = async (eventIds: readonly string[]): Promise<ReadonlyMap<string, StoredEvent>> => {
    await ready();
    const entries = await client.getAll(eventIds.map((id) => Buffer.from(eventKey(id))));
    const found = new Map<string, StoredEvent>();
    for (const entry of entries) {
      await reads.verifyEntry(entry);
      const { source, json } = decodeEventValue(entry.key.toString(), entry.value);
      const eventId = entry.key.toString().slice('event/'.length);
      // A copy: what is kept must not pin the whole answer.
      found.set(eventId, { eventId, tx: entry.tx, sha256: source.sha256, json: Buffer.from(json) });
    }
    return found;
  };

  const findDeleted = async (composed: ComposedTransaction): Promise<readonly string[]> => {
    const marks = composed.batch.spans.map(({ partition }) => markKey(logs.source, partition));
    const keys = [...marks, ...composed.eventIds.map(eventKey)];
    for (const key of keys) {
      const history = await client.history(Buffer.from(key), { limit: 2, desc: true });
      if (history.some(({ metadata, expired }) => metadata?.deleted === true || expired)) return [key];
    }
    return [];
  };

  const writable: WritableLedger = {
    set: (request) => client.set(request, { deadlineMs }),
    rootOf: options.rootOf,
    header: async (tx) => (await reads.verifiedTx(tx)).header,
    readMarks: (partitions) => readMarks(ledger, logs.source, partitions),
    find,
    findDeleted,
    trustedTx: () => ledger.trusted.current().id,
    follow: (header) => followTo(ledger, header),
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
    compose: (batch, breathe) => compose(batch, logs, writerId, breathe),
    commit: async (composed) => {
      await ready();
      return await write.commit(composed as ComposedTransaction);
    },
  };
};
