import { valueSha256 } from '../schemas/record-hash.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import { isEventId } from '../sinks/immudb/format/event-id.ts';
import { eventKey } from '../sinks/immudb/format/keys.ts';
import type { DeskPorts } from './desk-ports.ts';
import { edited, isEdit, type Edit } from './edit.ts';
import type { SelectedLetter } from './select.ts';

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
    | { readonly kind: Leaving; readonly why: string };
};

/** How letters are judged; the same for a preview and for the run, so both mean the same set. */
export type JudgeOptions = {
  readonly edit: Edit;
  readonly runId: string;
  /** Sends also what this program would refuse again. */
  readonly evenRefused: boolean;
  /** Sends also what the ledger holds already: letters are then closed as duplicates, or die again as conflicts. */
  readonly evenStored: boolean;
};

type Ports = Pick<DeskPorts, 'ledger' | 'decode' | 'maxAttempts'>;

/** Judges letters together: one look into the ledger for the ids of all. */
export const judgeLetters = async (
  ports: Ports,
  letters: readonly SelectedLetter[],
  options: JudgeOptions,
): Promise<JudgedLetter[]> => {
  const drafts = letters.map((letter) => ({ letter, verdict: judgeAlone(ports, letter, options) }));
  const stored = options.evenStored
    ? new Set()
    : await storedIds(
        ports,
        drafts.flatMap(({ verdict }) => verdict.eventId ?? []),
      );
  return drafts.map(({ letter, verdict: { eventId, ...verdict } }): JudgedLetter => {
    const isOpenStill = verdict.kind === 'eligible' || verdict.kind === 'still-refused';
    if (isOpenStill && eventId !== undefined && stored.has(eventId))
      return { letter, verdict: { kind: 'in-ledger', why: `event ${eventId} is in the ledger` } };
    return { letter, verdict };
  });
};

type Draft = JudgedLetter['verdict'] & { readonly eventId?: string };

const judgeAlone = (ports: Ports, letter: SelectedLetter, options: JudgeOptions): Draft => {
  const { dead, original, at, tx, seenTx = tx } = letter;
  if (dead.state !== 'open') return { kind: 'changed', why: `it is ${dead.state}` };
  if (seenTx !== tx) return { kind: 'changed', why: 'somebody acted on it since it was selected' };
  if (!original.ok) return { kind: 'unreadable', why: original.why };
  // A person who edits it has decided on it.
  if (!isEdit(options.edit) && dead.attempt >= ports.maxAttempts)
    return { kind: 'over-limit', why: `it was tried ${dead.attempt} times` };
  const value = edited(original.record.value, options.edit, options.runId, at);
  if (!value.ok) return { kind: 'unreadable', why: value.why };
  const decoded = ports.decode(value.value);
  const eventId = decoded.accepted ? decoded.facts.eventId : (decoded.eventId ?? dead.eventId);
  const id = eventId !== undefined && isEventId(eventId) ? { eventId } : {};
  if (!decoded.accepted && !options.evenRefused)
    return { kind: 'still-refused', why: `${decoded.code}: ${decoded.message}`, ...id };
  const record = { ...original.record, value: value.value };
  return { kind: 'eligible', record, sha256: valueSha256(value.value), ...id };
};

const storedIds = async ({ ledger }: Ports, ids: readonly string[]): Promise<ReadonlySet<unknown>> => {
  const keys = [...new Set(ids)].map((id) => Buffer.from(eventKey(id)));
  const entries = keys.length === 0 ? [] : await ledger.client.getAll(keys);
  for (const entry of entries) await ledger.reads.verifyEntry(entry);
  return new Set(entries.map(({ key }) => key.toString().slice('event/'.length)));
};
