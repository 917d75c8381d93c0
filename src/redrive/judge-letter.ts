import { valueSha256 } from '../schemas/record-hash.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import type { RejectionCode } from '../schemas/rejection.ts';
import { isEventId } from '../sinks/immudb/format/event-id.ts';
import { eventKey } from '../sinks/immudb/format/keys.ts';
import type { DeskPorts } from './desk-ports.ts';
import { edited, isEdit, type Edit } from './edit.ts';
import type { SelectedLetter } from './select.ts';
import { never } from './never.ts';

/**
 * What a redrive does with a letter: sends it, or leaves it, for one reason.
 * - `in-ledger`: an event of its id is stored; sent again it would be a duplicate or a conflict;
 * - `over-limit`: it was tried as often as a record may be without a person deciding on it;
 * - `unreadable`: its record cannot be had, or not be edited;
 * - `still-refused`: this program would refuse it again;
 * - `changed`: it is not open (any more).
 */
export const leavingReasons = ['in-ledger', 'over-limit', 'unreadable', 'still-refused', 'changed'] as const;
export type Leaving = (typeof leavingReasons)[number];

export type JudgedLetter = {
  readonly letter: SelectedLetter;
  readonly verdict:
    | { readonly kind: 'eligible'; readonly record: KafkaRecord; readonly sha256: string }
    | { readonly kind: 'still-refused'; readonly why: string; readonly code: RejectionCode }
    | { readonly kind: Exclude<Leaving, 'still-refused'>; readonly why: string };
};

/** How letters are judged; the same for a preview and for the run, so both mean the same set. */
export type JudgeOptions = {
  readonly edit: Edit;
  readonly runId: string;
  /** Sends also what this program would refuse again. */
  readonly evenRefused: boolean;
  /** Sends also what the ledger holds already: letters are then closed as duplicates, or die again as conflicts. */
  readonly evenStored: boolean;
  /** An event is in the ledger if this transaction or one before it has it: what a run itself brings there is not. */
  readonly snapshot: bigint;
};

type Ports = Pick<DeskPorts, 'ledger' | 'decoder' | 'retry' | 'maxAttempts'>;

/**
 * Judges letters together, as the pipeline would judge their records: one look into the ledger for the ids of all, and
 * what a schema registry must say of them is asked first.
 */
export const judgeLetters = async (
  ports: Ports,
  letters: readonly SelectedLetter[],
  options: JudgeOptions,
): Promise<JudgedLetter[]> => {
  const screened = letters.map((letter) => ({ letter, screened: screen(ports, letter, options) }));
  const values = screened.flatMap(({ screened: one }) => (one.kind === 'sendable' ? [one.record.value] : []));
  await ports.retry('asking the schema registry', () => Promise.resolve(ports.decoder.prepare(values)), never);
  const drafts = screened.map(({ letter, screened: one }) => ({
    letter,
    verdict: one.kind === 'sendable' ? weigh(ports, letter, one.record, options) : one,
  }));
  const ids = drafts.flatMap(({ verdict }) => ('eventId' in verdict ? (verdict.eventId ?? []) : []));
  const stored = options.evenStored ? new Set() : await storedIds(ports, ids, options.snapshot);
  return drafts.map(({ letter, verdict }): JudgedLetter => {
    if (!('eventId' in verdict)) return { letter, verdict };
    const { eventId, ...weighed } = verdict;
    if (eventId !== undefined && stored.has(eventId))
      return { letter, verdict: { kind: 'in-ledger', why: `event ${eventId} is in the ledger` } };
    return { letter, verdict: weighed };
  });
};

type Left = { readonly kind: 'changed' | 'unreadable' | 'over-limit'; readonly why: string };

/** What needs nothing but the letter and its record. */
const screen = (
  ports: Ports,
  { dead, original, at, tx, seenTx = tx }: SelectedLetter,
  options: JudgeOptions,
): Left | { readonly kind: 'sendable'; readonly record: KafkaRecord } => {
  if (dead.state !== 'open') return { kind: 'changed', why: `it is ${dead.state}` };
  if (seenTx !== tx) return { kind: 'changed', why: 'somebody acted on it since it was selected' };
  if (!original.ok) return { kind: 'unreadable', why: original.why };
  // A person who edits it has decided on it.
  if (!isEdit(options.edit) && dead.attempt >= ports.maxAttempts)
    return { kind: 'over-limit', why: `it was tried ${dead.attempt} times` };
  const value = edited(original.record.value, options.edit, options.runId, at);
  if (!value.ok) return { kind: 'unreadable', why: value.why };
  return { kind: 'sendable', record: { ...original.record, value: value.value } };
};

type Weighed = JudgedLetter['verdict'] & { readonly eventId: string | undefined };

const weigh = (ports: Ports, { dead }: SelectedLetter, record: KafkaRecord, options: JudgeOptions): Weighed => {
  const decoded = ports.decoder.decode(record.value);
  const named = decoded.accepted ? decoded.facts.eventId : (decoded.eventId ?? dead.eventId);
  const eventId = named !== undefined && isEventId(named) ? named : undefined;
  if (!decoded.accepted && !options.evenRefused) {
    const { code, message } = decoded;
    return { kind: 'still-refused', why: `${code}: ${message}`, code, eventId };
  }
  return { kind: 'eligible', record, sha256: valueSha256(record.value), eventId };
};

const storedIds = async (
  { ledger }: Ports,
  ids: readonly string[],
  snapshot: bigint,
): Promise<ReadonlySet<unknown>> => {
  const keys = [...new Set(ids)].map((id) => Buffer.from(eventKey(id)));
  const entries = keys.length === 0 ? [] : await ledger.client.getAll(keys);
  for (const entry of entries) await ledger.reads.verifyEntry(entry);
  return new Set(entries.filter(({ tx }) => tx <= snapshot).map(({ key }) => key.toString().slice('event/'.length)));
};
