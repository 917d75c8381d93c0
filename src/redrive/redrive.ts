import { asPipelineError, PipelineError } from '../errors.ts';
import { valueSha256 } from '../schemas/record-hash.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import { bucket } from '../sinks/bucket.ts';
import { deadKey } from '../sinks/immudb/format/keys.ts';
import { changeLetters, requireWriteRight, type LetterChange } from '../sinks/immudb/letter-acts.ts';
import { letterEntry, type LedgerLetter } from '../sinks/immudb/letters.ts';
import { publishAct, statedSelection, type ActEvent } from './act-event.ts';
import type { DeskPorts } from './desk-ports.ts';
import type { Edit } from './edit.ts';
import type { JudgedLetter } from './judge-letter.ts';
import { judgedChunks, tally, type LeftCounts } from './judged-chunks.ts';
import { sendOutgoing, type Outgoing } from './outgoing.ts';
import { untilPassed } from './progress-of-pipeline.ts';
import { cancellerOf, letterOf, putBack } from './put-back.ts';
import { resumeStuck } from './resume.ts';
import { countRun, stretches, type RunCounts } from './run-counts.ts';
import type { SelectedLetter, Selection } from './select.ts';
import { never } from './never.ts';

/** What is to be sent again, and how. */
export type RedriveOrder = {
  readonly act: 'redrive' | 'fix';
  readonly selection: Selection;
  readonly edit: Edit;
  readonly evenRefused: boolean;
  readonly evenStored: boolean;
  /** Most letters to send; null: all. */
  readonly limit: number | null;
};

export type RedriveRun = {
  readonly by: string;
  readonly why: string;
  /** Records per second; default: the setting. */
  readonly perSecond?: number;
  /** How long to wait for the pipeline to settle what was sent. */
  readonly waitMs: number;
  /** Takes no more letters; what is under way is finished. */
  readonly signal: AbortSignal;
  readonly onProgress?: (sent: number) => void;
  /** Goes on with a run that was killed: its id, and the transaction whose letters it began with. */
  readonly resume?: { readonly runId: string; readonly snapshot: bigint };
};

export type Preview = {
  readonly eligible: number;
  readonly eligibleByCode: Readonly<Record<string, number>>;
  readonly left: LeftCounts;
  /** Of those that are still refused, the codes of now. */
  readonly refusedByCode: Readonly<Record<string, number>>;
};

export type RedriveResult = {
  readonly runId: string;
  readonly sent: number;
  readonly left: LeftCounts;
  readonly refusedByCode: Readonly<Record<string, number>>;
  /** Letters that somebody else's act took in the meantime. */
  readonly lost: number;
  readonly tooLarge: number;
  /** False: the signal ended it, or somebody cancelled it. */
  readonly complete: boolean;
  readonly cancelledBy: string | null;
  /** What became of all letters of this run so far; null: the pipeline did not settle them in time. */
  readonly settled: RunCounts | null;
};

const noCounts: RunCounts = { redriving: 0, stored: 0, duplicate: 0, dead: 0 };

/** What a redrive with the same order would do now. Changes nothing. */
export const previewRedrive = async (
  ports: DeskPorts,
  order: RedriveOrder,
  onLetter: (judged: JudgedLetter) => void = () => undefined,
): Promise<Preview> => {
  const counts = tally();
  const options = { ...order, runId: ports.newId(), snapshot: ports.ledger.trusted.current().id };
  for await (const chunk of judgedChunks(ports, order.selection, options)) {
    for (const judged of chunk) {
      counts.add(judged);
      onLetter(judged);
    }
  }
  return {
    eligible: counts.eligible(),
    eligibleByCode: counts.eligibleByCode(),
    left: counts.left(),
    refusedByCode: counts.refusedByCode(),
  };
};

/**
 * Sends the eligible letters of a selection back to their topic. For each chunk the ledger states the redrive first, by
 * compare-and-set, then the records are sent; the pipeline closes each letter when it settles its record. So a run may
 * be killed anywhere: what it left under way, and what it had not come to, `resume` finishes.
 */
export const redrive = async (ports: DeskPorts, order: RedriveOrder, run: RedriveRun): Promise<RedriveResult> => {
  const runId = run.resume?.runId ?? ports.newId();
  const pacing = new AbortController();
  const work = redriveWork(ports, order, run, runId, pacing.signal);
  try {
    if (run.resume !== undefined) await work.finishStuck();
    await work.sendAll();
    return await work.close();
  } catch (error) {
    throw work.hasBegun() ? interrupted(error, runId, run.signal) : error;
  } finally {
    pacing.abort(new Error('the redrive ended'));
  }
};

const redriveWork = (ports: DeskPorts, order: RedriveOrder, run: RedriveRun, runId: string, pacing: AbortSignal) => {
  const { by, why, signal, waitMs } = run;
  const snapshot = run.resume?.snapshot ?? ports.ledger.trusted.current().id;
  const perSecond = run.perSecond ?? ports.perSecond;
  const turn = bucket(perSecond, pacing);
  const counts = tally();
  const ends = new Map<number, bigint>();
  const touched = stretches();
  let [sent, lost, tooLarge] = [0, 0, 0];
  let cancelledBy: string | null = null;
  let hasBegun = false;

  const tell = (phase: ActEvent['phase'], outcome: ActEvent['outcome'], data: ActEvent['data']) =>
    publishAct(ports, { act: order.act, phase, runId, by, outcome, data });

  /** Before anything changes: the right to change it, and the event that says who does it. */
  const begin = async (letter: LedgerLetter | undefined): Promise<void> => {
    if (hasBegun) return;
    if (letter !== undefined) await requireWriteRight(ports.ledger, letterEntry(letter));
    const stated = { ...statedOrder(order), snapshot: String(snapshot), why };
    await tell(run.resume === undefined ? 'started' : 'resumed', 'pending', stated);
    hasBegun = true;
  };

  const note = (reached: ReadonlyMap<number, bigint>) => reached.forEach((end, partition) => ends.set(partition, end));

  const sendChunk = async (eligible: readonly Eligible[]): Promise<readonly LedgerLetter[]> => {
    await begin(eligible[0]?.letter);
    await turn(eligible.length);
    const changes = eligible.map((one): LetterChange => toRedriving(one, runId, run));
    const changed = await changeLetters(ports.ledger, changes, ports.retry, never);
    for (const { at } of changed.made) touched.add(at);
    const outgoing = outgoingOf(changed.made, eligible);
    const result = await sendOutgoing(ports, outgoing, { waitMs, signal: never });
    const given = result.tooLarge.map(({ letter }) => letter);
    await putBack(ports, given, { by, why: 'its record is larger than the topic takes' }, never);
    note(result.ends);
    lost += changed.lost.length;
    tooLarge += given.length;
    sent += outgoing.length - given.length;
    run.onProgress?.(sent);
    return changed.made.filter((letter) => !given.includes(letter));
  };

  const settled = async (): Promise<RunCounts | null> => {
    if (!hasBegun) return noCounts;
    try {
      await untilPassed(ports, ends, { waitMs, signal: never });
    } catch (error) {
      if (error instanceof PipelineError && error.code === 'REDRIVE_NOT_SETTLED') return null;
      throw error;
    }
    // What a killed run touched before is only in the ledger.
    return await countRun(ports, runId, run.resume === undefined ? touched.ranges() : undefined);
  };

  return {
    hasBegun: () => hasBegun,
    finishStuck: async () => {
      await begin(undefined);
      const stuck = await resumeStuck(ports, { edit: order.edit, by }, runId, { waitMs, signal });
      note(stuck.ends);
      sent += stuck.sent;
    },
    sendAll: async () => {
      let before: readonly LedgerLetter[] = [];
      const options = { ...order, runId, snapshot, atOnce: perSecond };
      for await (const chunk of judgedChunks(ports, order.selection, options)) {
        if (signal.aborted) return;
        cancelledBy = await cancellerOf(ports, before);
        if (cancelledBy !== null) return;
        for (const judged of chunk) counts.add(judged);
        const eligible = chunk.flatMap(eligibleOf);
        if (eligible.length > 0) before = await sendChunk(eligible);
      }
    },
    close: async (): Promise<RedriveResult> => {
      const complete = cancelledBy === null && !signal.aborted;
      const left = counts.left();
      const refusedByCode = counts.refusedByCode();
      const result = {
        runId,
        sent,
        left,
        refusedByCode,
        lost,
        tooLarge,
        complete,
        cancelledBy,
        settled: await settled(),
      };
      if (hasBegun) await tell('finished', complete ? 'success' : 'failure', { ...result, why });
      return result;
    },
  };
};

type Eligible = { readonly letter: SelectedLetter; readonly record: KafkaRecord; readonly sha256: string };

const eligibleOf = ({ letter, verdict }: JudgedLetter): Eligible[] =>
  verdict.kind === 'eligible' ? [{ letter, record: verdict.record, sha256: verdict.sha256 }] : [];

const toRedriving = ({ letter, sha256 }: Eligible, nonce: string, { by, why }: RedriveRun): LetterChange => ({
  letter,
  next: { ...letterOf(letter), state: 'redriving', by, why, nonce, expectedSha256: sha256 },
});

const outgoingOf = (made: readonly LedgerLetter[], eligible: readonly Eligible[]): Outgoing[] => {
  const records = new Map(eligible.map(({ letter, record }) => [deadKey(letter.at), record]));
  return made.flatMap((letter) => {
    const record = records.get(deadKey(letter.at));
    return record === undefined ? [] : [{ letter, record }];
  });
};

/** What an act's event says of it: enough to do the same again, but for a whole new value, of which it has the hash. */
const statedOrder = ({ selection, edit, evenRefused, evenStored, limit }: RedriveOrder) => ({
  selection: statedSelection(selection),
  edit: {
    ...(edit.set !== undefined && { set: edit.set }),
    ...(edit.newId !== undefined && { newId: edit.newId }),
    ...(edit.value !== undefined && { value_sha256: valueSha256(edit.value) }),
  },
  even_refused: evenRefused,
  even_stored: evenStored,
  limit,
});

const interrupted = (error: unknown, runId: string, signal: AbortSignal): PipelineError => {
  const { code, message } = signal.aborted
    ? new PipelineError('REDRIVE_NOT_SETTLED', 'it was told to stop')
    : asPipelineError(error, 'redriving');
  const how = `go on with: immutrail dlq redrive --resume ${runId}`;
  return new PipelineError(code, `redrive ${runId} was interrupted: ${message}; ${how}`, { cause: error });
};
