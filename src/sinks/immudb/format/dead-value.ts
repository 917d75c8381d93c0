import { coordinatesObject, readCoordinates } from './coordinates.ts';
import { refuse } from './invalid.ts';
import type { Coordinates } from './keys.ts';
import { isCode } from './mark-rows.ts';
import { type Members, requireWritten, valueMembers } from './members.ts';

/** What stays the same through all acts on a dead letter. */
type DeadLetter = {
  /** Why the record was refused, one of the rejection codes. */
  readonly code: string;
  readonly message: string;
  /** Of the refused record's value bytes (of no bytes for a null value). */
  readonly sha256: string;
  /** The copy on the dead-letter topic that counts. */
  readonly dlq: Coordinates;
  /** What could be read of the event; need not be valid. */
  readonly eventId?: string;
  readonly correlationId?: string;
  readonly eventType?: string;
  /** 1 for a record that came by itself; a record that a redrive sent and that died again has one more than its `of`. */
  readonly attempt: number;
  /** The dead letter whose redrive sent this record. */
  readonly of?: Coordinates;
};

/** What an operator did, and said of it. */
type Act = { readonly by: string; readonly why: string };

/** A redrive under way: the record that settles it carries this nonce, and its value has this hash. */
type Redrive = Act & { readonly nonce: string; readonly expectedSha256: string };

/** How a redrive ended, and where on Kafka the record lies that settled it. */
export type Redriven = { readonly as: (typeof redrivenAs)[number] } & Coordinates;
export const redrivenAs = ['stored', 'duplicate', 'dead'] as const;

/**
 * The value of `dead/<log>/<partition>/<offset>`. Each revision says the whole state; the acts are open → redriving →
 * redriven, or → open again, or → discarded. `by` and `why` of an open one: who put it back.
 */
export type DeadState = DeadLetter &
  (
    | ({ readonly state: 'open' } & (Act | { readonly by?: never; readonly why?: never }))
    | ({ readonly state: 'redriving' } & Redrive)
    | ({ readonly state: 'redriven'; readonly redriven: Redriven } & Redrive)
    | ({ readonly state: 'discarded' } & Act)
  );
export const deadStates = [
  'open',
  'redriving',
  'redriven',
  'discarded',
] as const satisfies readonly DeadState['state'][];

/** Longest message or identity of a refused record that is kept, in UTF-16 units: the record itself is on the topic. */
export const maxDeadText = 1_024;

/**
 * What was read of a refused record must never keep its dead letter from being written: `message` and the identity are
 * made well-formed and cut to 1,024 units. For the rest, throws LEDGER_FORMAT_INVALID where decodeDead would.
 */
export const encodeDead = (dead: DeadState): Buffer => {
  const value = Buffer.from(deadText(dead));
  decodeDead('a dead letter to be written', value);
  return value;
};

const kept = (text: string | undefined): string | undefined => text?.slice(0, maxDeadText).toWellFormed();

const deadText = (dead: DeadState): string =>
  JSON.stringify({
    v: 1,
    state: dead.state,
    code: dead.code,
    message: kept(dead.message),
    sha256: dead.sha256,
    dlq: coordinatesObject(dead.dlq),
    event_id: kept(dead.eventId),
    correlation_id: kept(dead.correlationId),
    event_type: kept(dead.eventType),
    attempt: dead.attempt,
    of: dead.of && coordinatesObject(dead.of),
    by: dead.by,
    why: dead.why,
    nonce: 'nonce' in dead ? dead.nonce : undefined,
    expected_sha256: 'expectedSha256' in dead ? dead.expectedSha256 : undefined,
    redriven: 'redriven' in dead ? { as: dead.redriven.as, ...coordinatesObject(dead.redriven) } : undefined,
  });

/** Throws LEDGER_FORMAT_INVALID, also for members that do not belong to the state. */
export const decodeDead = (key: string, value: Uint8Array): DeadState => {
  const members = valueMembers(key, value);
  const dead: DeadState = { ...readLetter(key, members), ...readState(members) };
  requireWritten(key, value, Buffer.from(deadText(dead)));
  return dead;
};

const readLetter = (key: string, members: Members): DeadLetter => {
  const eventId = members.optionalText('event_id');
  const correlationId = members.optionalText('correlation_id');
  const eventType = members.optionalText('event_type');
  const of = members.optionalObject('of');
  const code = members.text('code');
  if (!isCode(code)) refuse(key, 'code is no code');
  const attempt = members.integer('attempt', Number.MAX_SAFE_INTEGER);
  if (attempt === 0 || (attempt === 1) !== (of === undefined)) refuse(key, 'attempt is 1 without of, more with it');
  return {
    code,
    message: members.text('message'),
    sha256: members.sha256('sha256'),
    dlq: readCoordinates(members.object('dlq')),
    ...(eventId !== undefined && { eventId }),
    ...(correlationId !== undefined && { correlationId }),
    ...(eventType !== undefined && { eventType }),
    attempt,
    ...(of !== undefined && { of: readCoordinates(of) }),
  };
};

type StateOf<T> = T extends DeadState ? Omit<T, keyof DeadLetter> : never;

const readState = (members: Members): StateOf<DeadState> => {
  const state = members.oneOf('state', deadStates);
  switch (state) {
    case 'open':
      return { state, ...(members.has('by') && readAct(members)) };
    case 'redriving':
      return { state, ...readRedrive(members) };
    case 'redriven':
      return { state, ...readRedrive(members), redriven: readRedriven(members.object('redriven')) };
    case 'discarded':
      return { state, ...readAct(members) };
  }
};

const readAct = (members: Members): Act => ({ by: members.text('by'), why: members.text('why') });

const readRedrive = (members: Members): Redrive => ({
  ...readAct(members),
  nonce: members.text('nonce'),
  expectedSha256: members.sha256('expected_sha256'),
});

const readRedriven = (members: Members): Redriven => ({
  as: members.oneOf('as', redrivenAs),
  ...readCoordinates(members),
});
