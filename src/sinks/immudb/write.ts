import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import type { TxHeader } from '../../proofs/header.ts';
import type { CommitOutcome, Standing, StoredEvent } from '../sink.ts';
import type { ComposedTransaction } from './compose.ts';
import { LedgerError } from './errors.ts';
import { isRootOf, type RootOf, type SentRoot } from './request-root.ts';

/** What the write protocol needs of the ledger. */
export type WritableLedger = {
  set(request: Buffer): Promise<TxHeader>;
  readonly rootOf: RootOf;
  /** The header of a transaction that a mark lies in, proven. */
  header(tx: bigint): Promise<TxHeader>;
  /** The marks of these partitions, verified. */
  readMarks(partitions: readonly number[]): Promise<ReadonlyMap<number, Standing>>;
  find(eventIds: readonly string[]): Promise<ReadonlyMap<string, StoredEvent>>;
  /** Keys of this transaction that have a deleted or expired revision. */
  findDeleted(composed: ComposedTransaction): Promise<readonly string[]>;
  /** The newest transaction that is trusted: a write that was not sent yet comes after it. */
  trustedTx(): bigint;
  /** Follows the chain up to this header, foreign transactions between included. */
  follow(header: TxHeader): Promise<void>;
};

/** So many attempts of one batch are remembered; more differ only if the ledger moved between each two of them. */
const maxAttempts = 64;

export type Writer = {
  commit(composed: ComposedTransaction): Promise<CommitOutcome>;
  /** Takes over what was read from the ledger. */
  stand(standings: ReadonlyMap<number, Standing>): void;
};

/**
 * The write protocol (docs/architecture.md, "The write"): sends a transaction once, checks the header that comes back
 * against what was sent, and after anything else reads the ledger to find out. `commit` may be called again with the
 * same transaction after an error that may be retried: it then begins by looking whether an earlier attempt is in.
 * `maxUnexplained`: refusals of one transaction that nothing in the ledger explains, before it halts.
 */
export const writer = (ledger: WritableLedger, maxUnexplained: number): Writer => {
  const standings = new Map<number, Standing>();
  const outstanding = new WeakMap<
    ComposedTransaction,
    { attempts: SentRoot[]; isInDoubt: boolean; unexplained: number }
  >();

  const stateOf = (composed: ComposedTransaction) => {
    const known = outstanding.get(composed) ?? { attempts: [], isInDoubt: false, unexplained: 0 };
    outstanding.set(composed, known);
    return known;
  };

  /** What is known only ever moves on: a read may have been overtaken by a write of ours. */
  const stand = (read: Iterable<Standing>) => {
    for (const standing of read) {
      if (standing.tx > (standings.get(standing.partition)?.tx ?? 0n)) standings.set(standing.partition, standing);
    }
  };

  /** Where the ledger, as far as it is known, does not stand at the beginning of this coverage. */
  const elsewhere = ({ batch }: ComposedTransaction, marks: ReadonlyMap<number, Standing>): Standing[] =>
    batch.spans.flatMap(({ partition, first }) => {
      const mark = marks.get(partition);
      return mark === undefined || mark.next === first ? [] : [mark];
    });

  /** Marks that moved: by an earlier attempt of this transaction (then it is written), or by another writer. */
  const look = async (composed: ComposedTransaction): Promise<CommitOutcome | null> => {
    const marks = await ledger.readMarks(composed.batch.spans.map((span) => span.partition));
    const moved = elsewhere(composed, marks);
    for (const mark of moved) {
      const header = await ledger.header(mark.tx);
      if (stateOf(composed).attempts.some((attempt) => isRootOf(attempt, header)))
        return await accept(composed, header);
    }
    stand(marks.values());
    return moved.length === 0 ? null : { kind: 'moved', standings: moved };
  };

  const accept = async (composed: ComposedTransaction, header: TxHeader): Promise<CommitOutcome> => {
    await ledger.follow(header);
    const written = composed.batch.spans.map(({ partition, next, last }): Standing => ({
      partition,
      tx: header.id,
      next,
      last,
    }));
    stand(written);
    composed.release();
    return { kind: 'written', tx: header.id, standings: written };
  };

  /** A precondition did not hold: a mark moved, an event exists, or somebody deleted a key. */
  const explain = async (composed: ComposedTransaction, refusal: LedgerError): Promise<CommitOutcome> => {
    const moved = await look(composed);
    if (moved !== null) return moved;
    const events = await ledger.find(composed.eventIds);
    if (events.size > 0) return { kind: 'exists', events };
    const [deleted] = await ledger.findDeleted(composed);
    if (deleted !== undefined)
      throw new PipelineError('LEDGER_KEY_DELETED', `key ${deleted} was deleted`, { cause: refusal });
    const state = stateOf(composed);
    state.unexplained += 1;
    if (state.unexplained <= maxUnexplained) return await send(composed);
    throw new PipelineError('LEDGER_CONTENDED', 'the ledger refused a transaction and nothing explains it', {
      cause: refusal,
    });
  };

  const send = async (composed: ComposedTransaction): Promise<CommitOutcome> => {
    // Reads beside us move what is known: between this look and the sealing nothing may wait.
    const moved = elsewhere(composed, standings);
    if (moved.length > 0) return { kind: 'moved', standings: moved };
    const state = stateOf(composed);
    if (state.attempts.length === maxAttempts) state.attempts.shift();
    const request = composed.seal(standings);
    const before = ledger.trustedTx();
    const sending = ledger.set(request);
    state.isInDoubt = true;
    sending.catch(() => undefined);
    // The server has its own work meanwhile; hashing now costs no time.
    const attempt = await ledger.rootOf(request);
    if (!state.attempts.some((known) => equalBytes(known.root, attempt.root))) state.attempts.push(attempt);
    let header: TxHeader;
    try {
      header = await sending;
    } catch (error) {
      if (!(error instanceof LedgerError) || error.outcome === 'unknown') throw error;
      state.isInDoubt = state.attempts.length > 1;
      if (error.outcome === 'refused') return await explain(composed, error);
      throw error;
    }
    if (!isRootOf(attempt, header)) throw mismatch(header, 'its entries are not those that were sent');
    if (header.id <= before) throw mismatch(header, `transaction ${before.toString()} was there before`);
    return await accept(composed, header);
  };

  return {
    commit: async (composed) => {
      const found = stateOf(composed).isInDoubt ? await look(composed) : null;
      return found ?? (await send(composed));
    },
    stand: (read) => stand(read.values()),
  };
};

const mismatch = (header: TxHeader, why: string) =>
  new PipelineError('LEDGER_HEADER_MISMATCH', `immudb answered with transaction ${header.id.toString()}, but ${why}`);
