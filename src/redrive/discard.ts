import { PipelineError } from '../errors.ts';
import type { DeadState } from '../sinks/immudb/format/dead-value.ts';
import { changeLetters, maxLetterChanges, requireWriteRight } from '../sinks/immudb/letter-acts.ts';
import { letterEntry, type LedgerLetter } from '../sinks/immudb/letters.ts';
import { publishAct, statedSelection } from './act-event.ts';
import type { DeskPorts } from './desk-ports.ts';
import { letterOf } from './put-back.ts';
import { select, type SelectedLetter, type Selection } from './select.ts';
import { never } from './never.ts';

export type DiscardOrder = { readonly selection: Selection; readonly limit: number | null };
export type DiscardResult = {
  readonly runId: string | null;
  readonly discarded: number;
  /** Not open, or acted on since they were selected. */
  readonly changed: number;
};

/** A chunk that has begun is finished. */

type Reason = { readonly by: string; readonly why: string; readonly signal: AbortSignal };

/** Marks open letters as settled without their events: they stay in the ledger and on the topic. Nothing is deleted. */
export const discard = async (ports: DeskPorts, order: DiscardOrder, reason: Reason): Promise<DiscardResult> => {
  const { by, why, signal } = reason;
  const runId = ports.newId();
  let [discarded, changed, hasBegun] = [0, 0, false];
  const tell = (phase: 'started' | 'finished', outcome: 'pending' | 'success' | 'failure', counts: object) => {
    const data = { selection: statedSelection(order.selection), why, ...counts };
    return publishAct(ports, { act: 'discard', phase, runId, by, outcome, data });
  };
  for await (const chunk of chunksOf(select(ports, order.selection, ports.ledger.trusted.current().id), order.limit)) {
    if (signal.aborted) break;
    const open = chunk.filter(isOpen);
    changed += chunk.length - open.length;
    const [first] = open;
    if (first === undefined) continue;
    if (!hasBegun) {
      await requireWriteRight(ports.ledger, letterEntry(first));
      await tell('started', 'pending', {});
      hasBegun = true;
    }
    const next = (letter: LedgerLetter): DeadState => ({ ...letterOf(letter), state: 'discarded', by, why });
    const acts = open.map((letter) => ({ letter, next: next(letter) }));
    const { made, lost } = await changeLetters(ports.ledger, acts, ports.retry, never);
    discarded += made.length;
    changed += lost.length;
  }
  if (hasBegun) await tell('finished', signal.aborted ? 'failure' : 'success', { discarded, changed });
  return { runId: hasBegun ? runId : null, discarded, changed };
};

/** How many letters a discard with the same order would mark. Changes nothing. */
export const previewDiscard = async (ports: DeskPorts, order: DiscardOrder): Promise<DiscardResult> => {
  let [discarded, changed] = [0, 0];
  for await (const chunk of chunksOf(select(ports, order.selection), order.limit)) {
    const open = chunk.filter(isOpen);
    discarded += open.length;
    changed += chunk.length - open.length;
  }
  return { runId: null, discarded, changed };
};

const isOpen = ({ dead, tx, seenTx = tx }: SelectedLetter): boolean => dead.state === 'open' && seenTx === tx;

async function* chunksOf(
  letters: AsyncIterable<SelectedLetter>,
  limit: number | null,
): AsyncGenerator<SelectedLetter[], void> {
  let chunk: SelectedLetter[] = [];
  let room = limit ?? Infinity;
  for await (const letter of letters) {
    if (room === 0) break;
    if (isOpen(letter)) room -= 1;
    // Its record is not needed any more: only what the ledger states.
    chunk.push({ ...letter, original: notKept });
    if (chunk.length < maxLetterChanges) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

const notKept = { ok: false, why: 'not kept' } as const;

/** Nothing of a ledger may be discarded without saying why. */
export const requireReason = ({ by, why }: { readonly by: string; readonly why: string }): void => {
  if (by.trim() === '' || by.length > maxIdentity)
    throw new PipelineError('USAGE', `--by: 1 to ${maxIdentity} characters that say who acts`);
  if (why.trim() === '' || why.length > maxReason)
    throw new PipelineError('USAGE', `--why: 1 to ${maxReason} characters that say why`);
};

const maxIdentity = 255;
const maxReason = 1000;
