import type { DeadLetters } from '../sinks/dead-letters.ts';
import type { Batch, Composed, Sink, StoredEvent } from '../sinks/sink.ts';
import type { Breaker } from './breaker.ts';
import { burying } from './burying.ts';
import { batchOf, type Breathe, type Draft, type Part, type Tripped } from './draft.ts';
import type { Happenings } from './happenings.ts';
import { judgeAll, type Judged, type Verdict } from './judge.ts';
import { redriven } from './redriven.ts';
import type { Retrying } from './retrying.ts';

export type PreparingOptions = {
  readonly sink: Pick<Sink, 'find' | 'redrives' | 'compose'>;
  readonly breaker: Pick<Breaker, 'weigh'>;
  readonly deadLetters: DeadLetters;
  readonly retrying: Retrying;
  readonly happenings: Pick<Happenings, 'eventsFound'>;
  readonly isSameContent: (a: Buffer, b: Buffer) => boolean;
  readonly breathe: Breathe;
};

/** The JSON of what a batch under way will have stored, by event id. */
export type Ahead = ReadonlyMap<string, Buffer>;

/** What came before a draft: the ledger's events that it knows of, and what the batch before it stores. */
export type Before = { readonly found: Map<string, StoredEvent>; readonly ahead: Ahead };

/** A draft made ready to be written, and what that rests on. */
export type Prepared = {
  readonly draft: Draft;
  readonly composed: Composed;
  /** What the batch will have stored: the next one must know. */
  readonly stores: Ahead;
  readonly before: Before;
  /** Parts that are not covered after all: their partitions are held from there on. */
  readonly tripped: readonly Tripped[];
};

/** From drafts to transactions that can be sent. All reject when `over` aborts, and with what must halt. */
export type Preparing = {
  /** For the first time. Looks the events up before, while that is known to be worth it. */
  prepare(draft: Draft, ahead: Ahead, over: AbortSignal): Promise<Prepared>;
  /** Verdicts, then letters to the dead-letter topic, then the transaction that states both. */
  compose(draft: Draft, before: Before, over: AbortSignal): Promise<Prepared>;
  /** An operator acted on a letter that it was to close: looks anew and composes anew. */
  afterAct(prepared: Prepared, over: AbortSignal): Promise<Prepared>;
  /** These events are in the ledger already: composes anew, with that known. */
  knowing(events: ReadonlyMap<string, StoredEvent>, prepared: Prepared, over: AbortSignal): Promise<Prepared>;
};

/** After a refusal for events that exist already, so many batches are looked up before they are written. */
const lookFirstFor = 64;

export const preparing = (options: PreparingOptions): Preparing => {
  const { sink, retrying, happenings, isSameContent, breathe } = options;
  const bury = burying(options.deadLetters, retrying);
  const lookForRedrives = redriven(sink, retrying);
  let lookFirst = 0;

  const look = async (draft: Draft, before: Before, over: AbortSignal) => {
    const ids = draft.parts.flatMap((part) => part.judged.flatMap(eventIdOf)).filter((id) => !before.ahead.has(id));
    remember(before, await retrying('looking for events', () => sink.find(ids), over));
  };

  const remember = ({ found }: Before, events: ReadonlyMap<string, StoredEvent>) => {
    if (events.size === 0) return;
    lookFirst = lookFirstFor;
    happenings.eventsFound(events.size);
    for (const [id, event] of events) found.set(id, event);
  };

  const compose: Preparing['compose'] = async (draft, before, over) => {
    const earlier = (id: string) => before.found.get(id)?.json ?? before.ahead.get(id);
    const judge = (parts: readonly Part[]) => {
      const stores = new Map<string, Buffer>();
      return { stores, verdicts: judgeAll(judgedOf({ parts }), earlier, isSameContent, stores) };
    };
    const all = judge(draft.parts);
    const tripped = weigh(draft, all.verdicts);
    const isTripped = (part: Part) => tripped.some((one) => one.part === part);
    const kept = tripped.length === 0 ? draft : { parts: draft.parts.filter((part) => !isTripped(part)) };
    // Without the parts that are left out, what would have been their duplicate may be an event of its own.
    const { verdicts, stores } = tripped.length === 0 ? all : judge(kept.parts);
    await bury(judgedOf(kept), verdicts, over);
    const composed = await sink.compose(batchOf(kept, verdicts, tripped), breathe);
    return { draft, composed, stores, before, tripped };
  };

  /** Parts in which so much is at fault that a person must look before it becomes dead letters. */
  const weigh = ({ parts }: Draft, verdicts: readonly Verdict[]): Tripped[] => {
    let at = 0;
    return parts.flatMap((part) => {
      const records = part.judged.map(({ record }) => ({
        offset: record.offset,
        isDead: verdicts[at++]?.kind === 'dead',
      }));
      const { pending, first } = part.slice;
      const why = options.breaker.weigh(pending.partition, first, records);
      return why === null ? [] : [{ part, why }];
    });
  };

  return {
    prepare: async (draft, ahead, over) => {
      const before: Before = { found: new Map(), ahead };
      await lookForRedrives(judgedOf(draft), over);
      if (lookFirst > 0) {
        lookFirst -= 1;
        await look(draft, before, over);
      }
      return await compose(draft, before, over);
    },
    compose,
    afterAct: async ({ draft, before }, over) => {
      await lookForRedrives(judgedOf(draft), over);
      return await compose(draft, before, over);
    },
    knowing: async (events, { draft, before }, over) => {
      remember(before, events);
      return await compose(draft, before, over);
    },
  };
};

const judgedOf = ({ parts }: Draft): Judged[] => parts.flatMap((part) => part.judged);

const eventIdOf = ({ decoded }: Judged): string[] => (decoded.accepted ? [decoded.facts.eventId] : []);

/** What a batch has stored. */
export const storedOf = (batch: Batch | null): Ahead => {
  const stored = new Map<string, Buffer>();
  for (const { outcomes } of batch?.spans ?? []) {
    for (const outcome of outcomes) {
      if (outcome.kind === 'stored') stored.set(outcome.facts.eventId, outcome.json);
    }
  }
  return stored;
};
