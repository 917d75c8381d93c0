import type { Shape } from './shape.ts';

export type EventOutcome = 'success' | 'failure' | 'pending';
export type Actor = { readonly type: string; readonly id: string };

/** What the events of one service have in common. No actor: whoever acted must be named in each event. */
export type ServiceDefaults = {
  readonly category: string;
  readonly actor: Actor | null;
  readonly resourceType: string;
};

/** One event type, and what its producer need not say each time. */
export type EventType = Partial<ServiceDefaults> & {
  readonly type: string;
  /** Names that the type had before; events under them are held to the same payload. */
  readonly was?: readonly string[];
  /** When it is sent, in one sentence. */
  readonly says: string;
  readonly action: string;
  /** What it is unless the event says otherwise. */
  readonly outcome: EventOutcome;
  readonly payload: Shape;
};

/** The catalogue of one service: the names are those of the builders that producers call. */
export type Service = {
  readonly title: string;
  readonly defaults: ServiceDefaults;
  readonly events: Readonly<Record<string, EventType>>;
};

export const service = <const S extends Service>(catalogue: S): S => catalogue;
