import { PipelineError } from '../errors.ts';
import type { RejectionCode } from '../schemas/rejection.ts';
import type { AuditEvent } from './audit-event.ts';
import { conflict, poisons } from './poison.ts';
import type { OutgoingMessage } from './publish.ts';
import { type Random, seededRandom } from './random.ts';
import { story } from './story/story.ts';
import { type UuidSource, uuidV7Source } from './uuid-v7.ts';

export type GeneratedKind = 'valid' | 'duplicate' | 'poison';

/** A record to send, and what must become of it. */
export type GeneratedEvent = OutgoingMessage & {
  readonly kind: GeneratedKind;
  /** Why it must be dead-lettered; of poison only. */
  readonly expectedCode?: RejectionCode;
};

export type GenerateOptions = {
  /** Records in all, of which `poison` are at fault, `duplicates` repeat an earlier one, and the rest are events. */
  readonly count: number;
  readonly poison?: number;
  readonly duplicates?: number;
  /** The same seed, count and start make the same records to the byte. */
  readonly seed: number;
  /** When the first story begins, Unix milliseconds. */
  readonly startMs: number;
  /** Stories that go on at the same time. */
  readonly concurrentStories?: number;
};

/** How far back a duplicate or a conflict may reach, in valid events: the memory that generating takes. */
const windowEvents = 500;

/** Events of many stories in the order of their times. A story that ends makes room for the next. */
function* interleaved(random: Random, startMs: number, concurrent: number): Generator<AuditEvent, never> {
  const begin = (ms: number): AuditEvent[] => story(random, ms).toReversed();
  const open = Array.from({ length: concurrent }, () => begin(startMs + random.between(0, 60_000)));
  for (;;) {
    const next = earliest(open);
    const event = next.pop();
    if (event !== undefined) yield event;
    if (next.length > 0) continue;
    const endedMs = event === undefined ? startMs : Date.parse(event.event_timestamp);
    open.splice(open.indexOf(next), 1, begin(endedMs + random.between(1, 30_000)));
  }
}

/** The story whose next event is the first in time. */
const earliest = (stories: readonly AuditEvent[][]): AuditEvent[] =>
  stories.reduce((first, other) => (timeOfNext(other) < timeOfNext(first) ? other : first));

/** Times are written alike, so that their order is that of the texts. */
const timeOfNext = (events: readonly AuditEvent[]): string => events.at(-1)?.event_timestamp ?? '';

const checked = (options: GenerateOptions): Required<GenerateOptions> => {
  const all = { poison: 0, duplicates: 0, concurrentStories: 8, ...options };
  const { count, poison, duplicates, concurrentStories } = all;
  const sound = [count, poison, duplicates, concurrentStories].every(
    (number) => Number.isSafeInteger(number) && number >= 0,
  );
  const wrong = (why: string): PipelineError => new PipelineError('USAGE', `generating events: ${why}`);
  if (!sound || concurrentStories === 0) throw wrong('counts must be whole numbers, and at least one story must go on');
  if (poison + duplicates > count) throw wrong(`of ${count} records, ${poison} + ${duplicates} cannot be special`);
  if (duplicates > 0 && poison + duplicates === count) throw wrong('a duplicate needs an event to repeat');
  return all;
};

type Sent = { readonly event: AuditEvent; readonly message: OutgoingMessage };

const messageOf = (event: AuditEvent, value: Buffer | null): OutgoingMessage => ({
  key: event.correlation_id,
  value,
  headers: { 'content-type': 'application/json', source: event.actor_id },
});

/** Makes poison in turn of all reasons; a conflict, which needs an event sent before, once in every turn. */
const poisoner = (newId: UuidSource): ((base: AuditEvent, sent: Sent | undefined) => GeneratedEvent) => {
  let made = 0;
  return (base, sent) => {
    const turn = made++ % (poisons.length + 1);
    const kind = 'poison';
    if (turn === 1 && sent !== undefined) {
      return { ...messageOf(sent.event, conflict(sent.event)), kind, expectedCode: 'EVENT_ID_CONFLICT' };
    }
    const { code, spoil } = poisons[turn > 1 ? turn - 1 : turn] ?? poisons[0];
    const event = { ...base, event_id: newId() };
    return { ...messageOf(event, spoil(event)), kind, expectedCode: code };
  };
};

/**
 * Made-up records: stories of remediations, interleaved, with poison and duplicates strewn among them evenly by chance
 * and in exactly the numbers asked for. Duplicates repeat key, headers and value of one of the last 500 valid events;
 * a conflict takes the id of one. Both have the key of what they repeat, so that they follow it in its partition.
 */
export function* generateEvents(options: GenerateOptions): Generator<GeneratedEvent, void> {
  const { count, seed, startMs, concurrentStories, ...special } = checked(options);
  const random = seededRandom(seed);
  const events = interleaved(random, startMs, concurrentStories);
  const sent: Sent[] = [];
  const anySent = (): Sent | undefined => sent[random.between(0, sent.length - 1)];
  // What poison is made of before the first valid event.
  let base = interleaved(seededRandom(seed), startMs, 1).next().value;
  const newId = uuidV7Source({ now: () => Date.parse(base.event_timestamp), random });
  const spoil = poisoner(newId);
  let { poison, duplicates } = special;
  let valid = 0;
  for (let left = count; left > 0; left--) {
    // Selection sampling (Knuth, 3.4.2, algorithm S): every arrangement of the kinds is as likely as any other.
    const draw = random.between(1, left);
    const repeated = draw > poison && draw <= poison + duplicates ? anySent() : undefined;
    if (draw <= poison) {
      poison--;
      yield spoil(base, anySent());
    } else if (repeated !== undefined) {
      duplicates--;
      yield { ...repeated.message, kind: 'duplicate' };
    } else {
      base = events.next().value;
      const message = messageOf(base, Buffer.from(JSON.stringify(base)));
      sent[valid++ % windowEvents] = { event: base, message };
      yield { ...message, kind: 'valid' };
    }
  }
}
