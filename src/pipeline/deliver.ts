import { scheduler } from 'node:timers/promises';
import type { Batcher } from '../consumers/batcher.ts';
import type { Source, SourceHandler } from '../consumers/source.ts';
import { PipelineError } from '../errors.ts';
import type { DeadLetter, DeadLetters } from '../sinks/dead-letters.ts';
import type { Batch, Composed, Sink, Standing, StoredEvent } from '../sinks/sink.ts';
import type { Assignment } from './assignment.ts';
import { batchOf, draftBatch, type Breathe, type Draft, type Inspect, type Part } from './draft.ts';
import type { Happenings } from './happenings.ts';
import { judgeAll, type Earlier, type Judged, type Verdict } from './judge.ts';
import type { Retrying } from './retrying.ts';
import { summaryOf } from './summary.ts';

export type PipelineOptions = {
  readonly source: Source;
  readonly sink: Sink;
  readonly deadLetters: DeadLetters;
  readonly batcher: Batcher;
  readonly assignment: Assignment;
  readonly retrying: Retrying;
  readonly happenings: Happenings;
  readonly inspect: Inspect;
  readonly isSameContent: (a: Buffer, b: Buffer) => boolean;
  readonly maxEvents: number;
  readonly now: () => number;
};

export type Pipeline = SourceHandler & {
  /** Runs until stopped; resolves when nothing is being written any more. Rejects with what must halt. */
  run(): Promise<void>;
  /** Takes no more, finishes the write under way. Idempotent. */
  stop(): Promise<void>;
};

/** What came before a draft: the ledger's events that it knows of, and what the batch before it stores. */
type Before = { readonly found: Map<string, StoredEvent>; readonly ahead: ReadonlyMap<string, Earlier> };

/** A draft made ready to be written. */
type Prepared = { readonly draft: Draft; readonly composed: Composed; readonly before: Before };

/** Rounds of composing one batch anew before that itself is the failure. */
const maxRounds = 20;
/** After a refusal for events that exist already, so many batches are looked up before they are written. */
const lookFirstFor = 64;

/**
 * The heart: while one batch is being written, the next is cut, decoded and composed. One write at a time; what a
 * batch was composed on is checked by the sink just before it sends.
 */
export const pipeline = (options: PipelineOptions): Pipeline => {
  const { source, sink, deadLetters, batcher, assignment, retrying, happenings, inspect } = options;
  const end = new AbortController();
  const halted = Promise.withResolvers<never>();
  halted.promise.catch(() => undefined);
  let scope = new AbortController();
  let writing: Promise<Batch | null> = Promise.resolve(null);
  /** The batch being written, and what it will have stored, for the one that is composed meanwhile. */
  let predecessor: Batch | null = null;
  let ahead: ReadonlyMap<string, Earlier> = new Map();
  let lookFirst = 0;
  let running: Promise<void> | null = null;

  const fail = (error: unknown) => {
    end.abort();
    scope.abort();
    batcher.withdraw();
    halted.reject(error);
  };

  const prepare = async (draft: Draft, signal: AbortSignal): Promise<Prepared> => {
    const before: Before = { found: new Map(), ahead };
    if (lookFirst > 0) {
      lookFirst -= 1;
      await look(draft, before, signal);
    }
    return await compose(draft, before, signal);
  };

  const look = async (draft: Draft, before: Before, signal: AbortSignal) => {
    const ids = draft.parts.flatMap((part) => part.judged.flatMap(eventIdOf)).filter((id) => !before.ahead.has(id));
    remember(before.found, await retrying('looking for events', () => sink.find(ids), signal));
  };

  const remember = (found: Map<string, StoredEvent>, events: ReadonlyMap<string, StoredEvent>) => {
    if (events.size === 0) return;
    lookFirst = lookFirstFor;
    happenings.eventsFound(events.size);
    for (const [id, event] of events) found.set(id, event);
  };

  /** Verdicts, then letters to the dead-letter topic, then the transaction that states both. */
  const compose = async (draft: Draft, before: Before, signal: AbortSignal): Promise<Prepared> => {
    const judged = draft.parts.flatMap((part) => part.judged);
    const earlier = (id: string) => before.found.get(id) ?? before.ahead.get(id);
    const verdicts = judgeAll(judged, earlier, options.isSameContent);
    await bury(judged, verdicts, signal);
    return { draft, composed: await sink.compose(batchOf(draft, verdicts), breathe), before };
  };

  const bury = async (judged: readonly Judged[], verdicts: readonly Verdict[], signal: AbortSignal) => {
    const buried: Judged[] = [];
    const letters: DeadLetter[] = [];
    judged.forEach((one, index) => {
      const verdict = verdicts[index];
      if (verdict?.kind !== 'dead' || one.deadAt !== null) return;
      buried.push(one);
      letters.push({ record: one.record, code: verdict.code, message: verdict.message });
    });
    if (letters.length === 0) return;
    const places = await retrying('writing dead letters', () => deadLetters.send(letters), signal);
    buried.forEach((one, index) => (one.deadAt = places[index] ?? null));
  };

  /**
   * Resolves when every slice of the draft is settled or dropped, with the batch that was written in the end (null:
   * none). Rejects only with what must halt.
   */
  const write = async (prepared: Prepared, signal: AbortSignal): Promise<Batch | null> => {
    let current: Prepared | 'settled' | null = prepared;
    try {
      for (let round = 0; round < maxRounds; round += 1) {
        const tried: Prepared = current;
        current = await attempt(tried, signal);
        if (current === 'settled') return tried.composed.batch;
        if (current === null) return null;
      }
      throw new PipelineError('LEDGER_CONTENDED', `gave up after composing one batch ${maxRounds} times`);
    } catch (error) {
      for (const { slice } of prepared.draft.parts) slice.pending.drop(slice);
      if (!signal.aborted) throw error;
      return null;
    }
  };

  /** One commit: settled, or what is to be tried next, or null when nothing of the draft is left. */
  const attempt = async (prepared: Prepared, signal: AbortSignal): Promise<Prepared | 'settled' | null> => {
    const { draft, composed, before } = prepared;
    const stale = draft.parts.filter(isStale);
    if (stale.length > 0) return await without(prepared, stale, signal);
    const started = options.now();
    const outcome = await retrying('writing a batch', () => sink.commit(composed), signal);
    switch (outcome.kind) {
      case 'written': {
        const epoch = draft.parts[0]?.slice.pending.epoch ?? -1;
        assignment.written(outcome.standings, epoch);
        hint(composed.batch, outcome.tx, epoch);
        for (const { slice } of draft.parts) slice.pending.settle(slice);
        happenings.batchWritten(summaryOf(composed, outcome.tx, options.maxEvents, options.now() - started));
        return 'settled';
      }
      case 'exists':
        remember(before.found, outcome.events);
        return await compose(draft, before, signal);
      case 'moved': {
        const moved = draft.parts.filter((part) =>
          outcome.standings.some(({ partition }) => partition === part.slice.pending.partition),
        );
        for (const standing of outcome.standings) await adopt(standing);
        return await without(prepared, moved, signal);
      }
    }
  };

  const isStale = ({ slice }: Part) => slice.pending.epoch !== assignment.epoch();

  /** Drops parts of a draft; the rest is composed anew, since it rested on them. */
  const without = async (prepared: Prepared, gone: readonly Part[], signal: AbortSignal): Promise<Prepared | null> => {
    for (const { slice } of gone) slice.pending.drop(slice);
    const parts = prepared.draft.parts.filter((part) => !gone.includes(part));
    return parts.length === 0 ? null : await compose({ parts }, prepared.before, signal);
  };

  /** Still ours in this generation: take the ledger's word and go on from there. Else the next assignment will tell. */
  const adopt = async (standing: Standing) => {
    happenings.partitionMoved(standing.partition, standing.next);
    const offset = { partition: standing.partition, next: standing.next, metadata: metadataOf(standing.tx) };
    if (await source.commit([offset], assignment.epoch())) assignment.adopt(standing);
    else batcher.withdraw([standing.partition]);
  };

  const hint = (batch: Batch, tx: bigint, epoch: number) => {
    const offsets = batch.spans.map(({ partition, next }) => ({ partition, next, metadata: metadataOf(tx) }));
    void source.commit(offsets, epoch).then((taken) => {
      if (!taken) happenings.commitRefused(offsets.length);
    });
  };

  /**
   * Fetches what the next records need to be decoded; nothing is drafted before that. False: they may have been taken
   * away meanwhile, so look anew.
   */
  const ready = async (signal: AbortSignal): Promise<boolean> => {
    const values = () => batcher.peek(options.maxEvents).map(({ value }) => value);
    let wait = inspect.prepare(values());
    if (wait === null) return true;
    try {
      const fetchAgain = () => {
        const first = wait ?? inspect.prepare(values()) ?? Promise.resolve();
        wait = null;
        return first;
      };
      await retrying('fetching schemas', fetchAgain, AbortSignal.any([signal, end.signal]));
    } catch (error) {
      if (!signal.aborted && !end.signal.aborted) throw error;
      // Let go and not assigned anew: what is queued will come again.
      if (signal === scope.signal) batcher.withdraw();
    }
    return false;
  };

  const loop = async () => {
    while (await batcher.whenDue(end.signal)) {
      const { signal } = scope;
      const { maxEvents } = options;
      if (!(await ready(signal))) continue;
      const draft = await draftBatch(batcher, sink.budget, maxEvents, inspect, assignment.continued, breathe);
      if (draft.parts.length === 0) continue;
      for (const { slice, last } of draft.parts) {
        assignment.advance(slice.pending.partition, { last, unchecked: false });
      }
      const prepared = await dropping(draft, signal, () => next(draft, signal));
      if (prepared === null) continue;
      predecessor = prepared.composed.batch;
      ahead = storedOf(predecessor);
      writing = write(prepared, signal);
      writing.catch(fail);
    }
    await writing;
  };

  /** Prepares a draft while its predecessor is being written; anew, if that was not written exactly as composed. */
  const next = async (draft: Draft, signal: AbortSignal): Promise<Prepared> => {
    const prepared = await prepare(draft, signal);
    const written = await writing;
    if (written === predecessor) return prepared;
    ahead = written === null ? new Map() : storedOf(written);
    return await compose(draft, { found: prepared.before.found, ahead }, signal);
  };

  const dropping = async <T>(draft: Draft, signal: AbortSignal, work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work();
    } catch (error) {
      for (const { slice } of draft.parts) slice.pending.drop(slice);
      if (!signal.aborted) throw error;
      return null;
    }
  };

  return {
    run: async () => {
      running ??= loop();
      running.catch(fail);
      await Promise.race([running, halted.promise]);
    },
    stop: async () => {
      end.abort();
      batcher.withdraw();
      await running?.catch(() => undefined);
    },
    assigned: (epoch, partitions) => {
      happenings.assigned(epoch, partitions);
      scope.abort();
      scope = new AbortController();
      const { signal } = scope;
      const settled = writing.then(ignore, ignore);
      assignment.assign(epoch, partitions, settled).catch((error: unknown) => {
        if (!signal.aborted) fail(error);
      });
    },
    letGo: () => {
      happenings.letGo();
      scope.abort();
      batcher.withdraw();
    },
    deliver: async (delivery) => {
      try {
        return end.signal.aborted ? null : await assignment.deliver(delivery);
      } catch (error) {
        fail(error);
        return null;
      }
    },
    doubt: assignment.doubt,
    failed: fail,
  };
};

const breathe: Breathe = () => scheduler.yield();

const ignore = () => undefined;

const metadataOf = (tx: bigint) => `tx=${tx.toString()}`;

const eventIdOf = ({ decoded }: Judged): string[] => (decoded.accepted ? [decoded.facts.eventId] : []);

/** What a batch under way will have stored: the next one must know, and a refusal of this one undoes the next too. */
const storedOf = (batch: Batch): Map<string, Earlier> => {
  const stored = new Map<string, Earlier>();
  for (const { outcomes } of batch.spans) {
    for (const outcome of outcomes) {
      if (outcome.kind === 'stored') stored.set(outcome.facts.eventId, { sha256: outcome.sha256, json: outcome.json });
    }
  }
  return stored;
};
