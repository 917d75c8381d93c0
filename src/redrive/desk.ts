import { PipelineError } from '../errors.ts';
import type { Coordinates } from '../sinks/immudb/format/keys.ts';
import { letterHistory, type LedgerLetter } from '../sinks/immudb/letters.ts';
import { readStartedRun } from './act-event.ts';
import type { DeskPorts } from './desk-ports.ts';
import { discard, previewDiscard, requireReason, type DiscardOrder, type DiscardResult } from './discard.ts';
import { isEdit, type Edit } from './edit.ts';
import type { LetterFilter } from './filter.ts';
import type { FoundLetter } from './found-letter.ts';
import { letterId, parseLetterId } from './letter-id.ts';
import type { JudgedLetter } from './judge-letter.ts';
import { cancelRun, type CancelResult } from './cancel.ts';
import {
  previewRedrive,
  redrive,
  type Preview,
  type RedriveOrder,
  type RedriveResult,
  type RedriveRun,
} from './redrive.ts';
import { select, type Selection } from './select.ts';
import { standingOf, type DeadLetterStanding } from './standing.ts';

export type Reason = { readonly by: string; readonly why: string };
type Run = Omit<RedriveRun, 'resume'>;

/** One revision of a dead letter, and when its transaction was written (Unix seconds, as immudb says). */
export type Revision = LedgerLetter & { readonly writtenAt: bigint };

/**
 * Everything that a person does with dead letters; command line and HTTP are faces of it. Reads are proven; acts are
 * compare-and-set, need who and why, and are audit events. Errors of whoever asks have the disposition `usage`, and
 * nothing was changed then.
 */
export type DeadLetterDesk = {
  /** Up to `limit` letters, their records without payload; `more`: there are others. */
  list(
    filter: LetterFilter,
    limit: number,
  ): Promise<{ readonly letters: readonly FoundLetter[]; readonly more: boolean }>;
  show(id: string): Promise<FoundLetter>;
  history(id: string): Promise<readonly Revision[]>;
  status(): Promise<DeadLetterStanding>;
  previewRedrive(order: RedriveOrder, onLetter?: (judged: JudgedLetter) => void): Promise<Preview>;
  redrive(order: RedriveOrder, run: Run): Promise<RedriveResult>;
  /** Goes on with a redrive that was killed; `saved`: the saved selection it was started with, if it was. */
  resume(
    runId: string,
    run: Run,
    given: { readonly saved?: Selection; readonly value?: Buffer },
  ): Promise<RedriveResult>;
  previewDiscard(order: DiscardOrder): Promise<DiscardResult>;
  discard(order: DiscardOrder, reason: Reason, signal: AbortSignal): Promise<DiscardResult>;
  cancel(runId: string, reason: Reason, signal: AbortSignal): Promise<CancelResult>;
  /** Which ledger this is, for a selection that is saved. */
  readonly ledgerId: string;
  /** Who acts unless somebody says otherwise. */
  readonly operator: string | null;
  close(): Promise<void>;
};

export const deadLetterDesk = (
  ports: DeskPorts,
  operator: string | null,
  close: () => Promise<void>,
): DeadLetterDesk => ({
  operator,
  ledgerId: ports.ledger.format.ledgerId,
  list: async (filter, limit) => {
    const letters: FoundLetter[] = [];
    for await (const letter of select(ports, { kind: 'filter', filter })) {
      if (letters.length === limit) return { letters, more: true };
      letters.push(withoutPayload(letter));
    }
    return { letters, more: false };
  },
  show: (id) => showOne(ports, parseLetterId(id)),
  history: (id) => historyOf(ports, parseLetterId(id)),
  status: () => standingOf(ports),
  previewRedrive: async (order, onLetter) => {
    requireOrder(order);
    return await previewRedrive(ports, order, onLetter);
  },
  redrive: async (order, run) => {
    requireReason(run);
    requireOrder(order);
    await requireOpen(ports, order.selection);
    return await redrive(ports, order, run);
  },
  resume: async (runId, run, given) => {
    requireReason(run);
    const id = requireRunId(runId);
    const started = await readStartedRun(ports, id);
    const selection = started.selection ?? given.saved ?? { kind: 'ids', ids: [] };
    const edit: Edit = { ...started.edit, ...(given.value !== undefined && { value: given.value }) };
    const { act, evenRefused, evenStored, snapshot } = started;
    const order = { act, selection, edit, evenRefused, evenStored, limit: null };
    return await redrive(ports, order, { ...run, resume: { runId: id, snapshot } });
  },
  previewDiscard: (order) => previewDiscard(ports, order),
  discard: async (order, reason, signal) => {
    requireReason(reason);
    await requireOpen(ports, order.selection);
    return await discard(ports, order, { ...reason, signal });
  },
  cancel: (runId, reason, signal) => {
    requireReason(reason);
    return cancelRun(ports, requireRunId(runId), reason, signal);
  },
  close,
});

/** What is kept of many must not keep the fetches that they came in. */
const withoutPayload = (letter: FoundLetter): FoundLetter => {
  const { original } = letter;
  if (!original.ok) return letter;
  return { ...letter, original: { ok: true, record: { ...original.record, key: null, value: null, headers: [] } } };
};

const showOne = async (ports: DeskPorts, at: Coordinates): Promise<FoundLetter> => {
  for await (const letter of select(ports, { kind: 'ids', ids: [at] })) return letter;
  throw unknownLetter(at);
};

const historyOf = async (ports: DeskPorts, at: Coordinates): Promise<Revision[]> => {
  const revisions = await letterHistory(ports.ledger, at);
  if (revisions.length === 0) throw unknownLetter(at);
  return await Promise.all(
    revisions.map(async (one) => ({ ...one, writtenAt: (await ports.ledger.reads.verifiedTx(one.tx)).header.ts })),
  );
};

const unknownLetter = (at: Coordinates) => new PipelineError('DEAD_LETTER_UNKNOWN', `no dead letter ${letterId(at)}`);

const requireRunId = (text: string): string => {
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new PipelineError('USAGE', `${text} is not the id of a redrive`);
};

/** Whoever names single letters means these: one that is not open is a mistake, not something to pass over. */
const requireOpen = async (ports: DeskPorts, selection: Selection): Promise<void> => {
  if (selection.kind !== 'ids') return;
  for await (const { at, dead } of select(ports, selection)) {
    if (dead.state !== 'open')
      throw new PipelineError('DEAD_LETTER_NOT_OPEN', `dead letter ${letterId(at)} is ${dead.state}`);
  }
};

const requireOrder = ({ act, edit, selection }: RedriveOrder): void => {
  if (act === 'fix' && !isEdit(edit)) throw new PipelineError('USAGE', 'fix: say what to change');
  if (edit.value !== undefined && (selection.kind !== 'ids' || selection.ids.length !== 1)) {
    throw new PipelineError('USAGE', 'fix: a whole new value is for one dead letter, by its id');
  }
};
