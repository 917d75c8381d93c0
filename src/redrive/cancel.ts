import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../errors.ts';
import { requireWriteRight } from '../sinks/immudb/letter-acts.ts';
import { letterEntry, type LedgerLetter } from '../sinks/immudb/letters.ts';
import { publishAct, type ActEvent } from './act-event.ts';
import type { DeskPorts } from './desk-ports.ts';
import { lettersUnderWay, putBack } from './put-back.ts';
import { never } from './never.ts';

export type CancelResult = {
  readonly putBack: number;
  /** False: the signal ended it, so a part may still be under way. */
  readonly complete: boolean;
};

type Reason = { readonly by: string; readonly why: string };

/** A page that has begun is finished. */
const settleMs = 1_000;

/**
 * Puts back what a redrive has under way, again and again until it has nothing more: a redrive that still sends meets
 * that its letters were put back, and ends. Rejects with REDRIVE_UNKNOWN, and tells nobody, when it has nothing.
 */
export const cancelRun = async (
  ports: DeskPorts,
  redriveId: string,
  { by, why }: Reason,
  signal: AbortSignal,
): Promise<CancelResult> => {
  const runId = ports.newId();
  let all = 0;
  let [hasBegun, isOver] = [false, false];
  const tell = (phase: ActEvent['phase'], outcome: ActEvent['outcome'], counts: object) => {
    const data = { redrive: redriveId, why, ...counts };
    return publishAct(ports, { act: 'cancel', phase, runId, correlationId: redriveId, by, outcome, data });
  };
  const begin = async (first: LedgerLetter | undefined): Promise<void> => {
    if (hasBegun || first === undefined) return;
    await requireWriteRight(ports.ledger, letterEntry(first));
    await tell('started', 'pending', {});
    hasBegun = true;
  };
  const isStopped = () => signal.aborted;
  while (!isOver && !isStopped()) {
    isOver = true;
    for await (const page of lettersUnderWay(ports, redriveId)) {
      isOver = false;
      if (isStopped()) break;
      await begin(page[0]);
      all += (await putBack(ports, page, { by, why }, never)).made.length;
    }
    if (!hasBegun && !isStopped())
      throw new PipelineError('REDRIVE_UNKNOWN', `redrive ${redriveId} has nothing under way`);
    if (!isOver) await sleep(settleMs, undefined, { signal }).catch(() => undefined);
  }
  if (hasBegun) await tell('finished', isOver ? 'success' : 'failure', { put_back: all });
  return { putBack: all, complete: isOver };
};
