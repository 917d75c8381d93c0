import { setTimeout as sleep } from 'node:timers/promises';
import { asPipelineError, PipelineError } from '../../errors.ts';
import type { SignedCheckpoint } from '../../proofs/checkpoint.ts';
import { nextCheckpoint, type Before, type LedgerView } from './next.ts';

/** What the world is told of publishing. */
export type CheckpointHappenings = {
  published(checkpoint: { readonly sequence: bigint; readonly epoch: bigint; readonly tx: bigint }): void;
  /** Nothing is lost: it is tried again, and the pipeline goes on meanwhile. */
  failed(error: PipelineError): void;
  /** This process publishes from now on, or does not any more. */
  owning(isOwner: boolean): void;
};

export type PublisherOptions = {
  readonly view: LedgerView;
  readonly topic: {
    /** Resolves with the offset when it is durable. */
    append(note: string): Promise<bigint>;
    bounds(): Promise<{ readonly end: bigint }>;
  };
  /** Null: to the topic alone. */
  readonly writeToFolder: ((note: string) => Promise<void>) | null;
  /** The newest checkpoint of this ledger that is believed, read anew. */
  readonly newest: () => Promise<SignedCheckpoint | null>;
  readonly everyMs: number;
  readonly idleMs: number;
  readonly happenings: CheckpointHappenings;
  /** The ledger is not what was signed of it: halts. */
  readonly halt: (error: PipelineError) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Resolves after so many milliseconds; rejects when the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

export type Publisher = {
  /** Whether this process is the one that publishes. */
  own(isOwner: boolean): void;
  /** Publishes once more what there is, if it may, and ends. Idempotent. */
  stop(): Promise<void>;
};

/** What was published last, as this process knows it: it holds as long as the topic ends where it ended then. */
type Known = { readonly before: Before | null; readonly end: bigint; readonly isOurs: boolean; readonly atMs: number };

/** Notes that the folder did not take; the oldest are given up first, the topic has them. */
const maxUnwritten = 100;

/**
 * States the ledger in signed notes, one after the other: every `everyMs` while the ledger grows, every `idleMs` while
 * it does not. One process at a time: the owner, who reads the newest note first and takes a new epoch, and reads again
 * whenever the topic does not end where it left it. Publishing holds nothing up: what fails is told and tried again.
 */
export const checkpointPublisher = (options: PublisherOptions): Publisher => {
  const { view, topic, writeToFolder, happenings, everyMs, idleMs, now } = options;
  const wait = options.wait ?? ((ms, signal) => sleep(ms, undefined, { signal, ref: false }));
  const ending = new AbortController();
  let isOwner = false;
  let known: Known | null = null;
  let epoch = 0n;
  let attempted: string | null = null;
  const unwritten: string[] = [];

  const lookUp = async (): Promise<Known> => {
    const { end } = await topic.bounds();
    if (known?.end === end) return known;
    const newest = await options.newest();
    const text = newest?.note.text ?? null;
    // What we sent may have arrived although it was not acknowledged: it is ours then, and the epoch stays.
    const isOurs = text !== null && text === attempted;
    // The server must still have what was signed: it extends it, or it was rewound or forked since.
    if (newest !== null) await view.requireHolds(newest.checkpoint.tx);
    if (!isOurs) epoch = (newest?.checkpoint.epoch ?? 0n) + 1n;
    known = { before: newest && { text: newest.note.text, checkpoint: newest.checkpoint }, end, isOurs, atMs: now() };
    return known;
  };

  const publish = async (): Promise<void> => {
    const last = await lookUp();
    const state = await view.present();
    const isNew = !last.isOurs || state.id > (last.before?.checkpoint.tx.id ?? 0n);
    if (!isNew && now() - last.atMs < idleMs) return;
    const made = await nextCheckpoint(view, state, last.before, epoch);
    if (!isOwner) return;
    attempted = made.text;
    // Until it is acknowledged, nobody knows where the topic ends.
    known = null;
    const offset = await topic.append(made.note);
    known = { before: made, end: offset + 1n, isOurs: true, atMs: now() };
    if (writeToFolder !== null) unwritten.push(made.note);
    const { sequence, tx } = made.checkpoint;
    happenings.published({ sequence, epoch, tx: tx.id });
  };

  const writeFolder = async (): Promise<void> => {
    while (unwritten.length > maxUnwritten) unwritten.shift();
    for (let [note] = unwritten; note !== undefined && writeToFolder !== null; [note] = unwritten) {
      await writeToFolder(note);
      unwritten.shift();
    }
  };

  const publishOnce = async (): Promise<void> => {
    for (const step of [publish, writeFolder]) {
      try {
        if (isOwner || step === writeFolder) await step();
      } catch (cause) {
        const error = asPipelineError(cause, 'publishing a checkpoint');
        happenings.failed(error);
        if (isOfLedger(error)) options.halt(error);
      }
    }
  };

  const loop = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      await wait(everyMs, ending.signal).then(publishOnce, () => undefined);
    }
    await publishOnce();
  };
  const running = loop();

  return {
    own: (owns) => {
      if (owns === isOwner) return;
      isOwner = owns;
      // Whoever publishes meanwhile, or nobody: it is read before the next one.
      known = null;
      happenings.owning(owns);
    },
    stop: () => {
      ending.abort();
      return running;
    },
  };
};

/** What the ledger is at fault for halts; Kafka, the folder or a bug in here hold no pipeline up. */
const isOfLedger = ({ code, disposition }: PipelineError): boolean =>
  disposition === 'halt' && code.startsWith('LEDGER_');
