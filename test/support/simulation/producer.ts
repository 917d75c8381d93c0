import type { Random } from '../../../src/producers/random.ts';
import { asBytes, auditEvent } from '../../fixtures/audit-event.ts';
import type { Truth } from './kafka-log.ts';
import type { World } from './world.ts';

export type Value = { readonly value: Buffer | null; readonly truth: Truth };
type EventValue = { readonly value: Buffer; readonly truth: Truth & { kind: 'event' } };

/** What tells two events of one id apart. */
export const contentOf = (json: Buffer): string => {
  const event = JSON.parse(json.toString()) as { event_data: { n: number } };
  return String(event.event_data.n);
};

const uuid = (random: Random): string =>
  `${random.hex(8)}-${random.hex(4)}-7${random.hex(3)}-8${random.hex(3)}-${random.hex(12)}`;

/** Values as services send them: events, some of them again, written otherwise or changed, and what is none. */
export const producer = (world: Pick<World, 'random'>) => {
  const { random } = world;
  const sent: EventValue[] = [];
  const contentsById = new Map<string, Set<string>>();
  let contents = 0;

  const event = (eventId: string): EventValue => {
    const content = ++contents;
    const correlation = { correlation_id: `rr-${random.between(1, 8)}`, actor_type: 'service', actor_id: 'gateway' };
    const value = asBytes(auditEvent({ event_id: eventId, ...correlation, event_data: { n: content } }));
    return { value, truth: { kind: 'event', eventId, content: String(content) } };
  };
  const keep = (made: EventValue): EventValue => {
    sent.push(made);
    const { eventId, content } = made.truth;
    contentsById.set(eventId, (contentsById.get(eventId) ?? new Set()).add(content));
    return made;
  };
  const rewritten = ({ value, truth }: EventValue): EventValue => {
    const members = Object.entries(JSON.parse(value.toString()) as Record<string, unknown>);
    return { value: asBytes(Object.fromEntries(members.reverse())), truth };
  };
  const poison = (): Value => {
    const value = random.pick([null, Buffer.alloc(0), Buffer.from('{"a":'), Buffer.from([0xff, 0xfe]), asBytes([1])]);
    return { value, truth: { kind: 'poison' } };
  };

  return {
    next: (): Value => {
      const earlier = sent.length === 0 ? null : random.pick(sent as [EventValue, ...EventValue[]]);
      const dice = random.next();
      if (earlier === null || dice < 0.72) return keep(event(uuid(random)));
      if (dice < 0.82) return earlier;
      if (dice < 0.87) return rewritten(earlier);
      if (dice < 0.93) return keep(event(earlier.truth.eventId));
      return poison();
    },
    /** Whether a record of this value may be dead-lettered: it is no event, or another event has its id. */
    mayDie: (value: Buffer | null): boolean => {
      const event = sent.find(
        (one) => value !== null && (one.value.equals(value) || rewritten(one).value.equals(value)),
      );
      return event === undefined || (contentsById.get(event.truth.eventId)?.size ?? 0) > 1;
    },
    fresh: (): EventValue => keep(event(uuid(random))),
  };
};

export type Producer = ReturnType<typeof producer>;
