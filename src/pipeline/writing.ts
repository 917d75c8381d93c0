import type { Source } from '../consumers/source.ts';
import { PipelineError } from '../errors.ts';
import type { Batch, CommitOutcome, Sink } from '../sinks/sink.ts';
import type { Assignment } from './assignment.ts';
import type { Draft, Part } from './draft.ts';
import type { Happenings } from './happenings.ts';
import type { Prepared, Preparing } from './preparing.ts';
import type { Retrying } from './retrying.ts';
import { summaryOf } from './summary.ts';

export type WritingOptions = {
  readonly source: Pick<Source, 'commit'>;
  readonly sink: Pick<Sink, 'commit'>;
  readonly assignment: Pick<Assignment, 'written' | 'adopt'>;
  readonly preparing: Preparing;
  readonly retrying: Retrying;
  readonly happenings: Happenings;
  readonly maxEvents: number;
  readonly now: () => number;
};

/**
 * Writes one prepared batch, composing it anew as often as the ledger says why it must be. Resolves when every slice of
 * its draft is settled or dropped, with the batch that was written in the end (null: none). Rejects only with what must
 * halt.
 */
export type Write = (prepared: Prepared) => Promise<Batch | null>;

type Outcome<K extends CommitOutcome['kind']> = CommitOutcome & { readonly kind: K };

/** Rounds in which one batch is composed anew without becoming smaller, before that itself is the failure. */
const maxRounds = 20;

export const writing = (options: WritingOptions): Write => {
  const { source, sink, assignment, preparing, retrying, happenings, now } = options;

  const settle = ({ draft, composed }: Prepared, { tx, standings }: Outcome<'written'>, durationMs: number) => {
    const epoch = epochOf(draft);
    assignment.written(standings, epoch);
    hint(composed.batch, tx, epoch);
    for (const { slice } of draft.parts) slice.pending.settle(slice);
    happenings.batchWritten(summaryOf(composed, tx, options.maxEvents, durationMs));
  };

  /** Kafka's offsets are a hint for dashboards: nobody waits for them. */
  const hint = (batch: Batch, tx: bigint, epoch: number) => {
    const metadata = `tx=${tx.toString()}`;
    const offsets = batch.spans.map(({ partition, next }) => ({ partition, next, metadata }));
    void source.commit(offsets, epoch).then((isTaken) => {
      if (!isTaken) happenings.commitRefused(offsets.length);
    });
  };

  /** Another writer moved some of its partitions: they leave the batch, and the rest, which may have rested on them, is composed anew. */
  const withoutMoved = async (
    { draft, before }: Prepared,
    { standings }: Outcome<'moved'>,
    over: AbortSignal,
  ): Promise<Prepared | null> => {
    const isMoved = ({ slice }: Part) => standings.some(({ partition }) => partition === slice.pending.partition);
    dropAll({ parts: draft.parts.filter(isMoved) });
    for (const standing of standings) {
      happenings.partitionMoved(standing.partition, standing.next);
      assignment.adopt(standing, epochOf(draft));
    }
    const parts = draft.parts.filter((part) => !isMoved(part));
    return parts.length === 0 ? null : await preparing.compose({ parts }, before, over);
  };

  const rounds = async (first: Prepared, over: AbortSignal): Promise<Batch | null> => {
    let prepared: Prepared | null = first;
    for (let left = maxRounds; prepared !== null && left > 0;) {
      const { composed, draft }: Prepared = prepared;
      const started = now();
      const outcome = await retrying('writing a batch', () => sink.commit(composed), over);
      if (outcome.kind === 'written') {
        settle(prepared, outcome, now() - started);
        return composed.batch;
      }
      if (outcome.kind === 'exists') prepared = await preparing.knowing(outcome.events, prepared, over);
      else prepared = await withoutMoved(prepared, outcome, over);
      if (prepared?.draft.parts.length === draft.parts.length) left -= 1;
    }
    if (prepared === null) return null;
    throw new PipelineError('LEDGER_CONTENDED', `gave up after composing one batch ${maxRounds} times`);
  };

  return async (prepared) => unlessOver(prepared.draft, (over) => rounds(prepared, over));
};

const epochOf = ({ parts }: Draft): number => parts[0]?.slice.pending.epoch ?? -1;

const dropAll = ({ parts }: Draft) => {
  for (const { slice } of parts) slice.pending.drop(slice);
};

/** Null, and the draft is dropped, when its assignment is over before the work is done. */
export const unlessOver = async <T>(draft: Draft, work: (over: AbortSignal) => Promise<T>): Promise<T | null> => {
  const over = draft.parts[0]?.slice.pending.over ?? AbortSignal.abort();
  try {
    return await work(over);
  } catch (error) {
    dropAll(draft);
    if (!over.aborted) throw error;
    return null;
  }
};
