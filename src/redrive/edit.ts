import { hash } from 'node:crypto';
import { outerMembersOf } from '../schemas/json/scan.ts';
import { deadKey, type Coordinates } from '../sinks/immudb/format/keys.ts';

/** What a `fix` changes of a record's value. JSON, so that it can be stated in the ledger, but for a whole new value. */
export type Edit = {
  /** Members of the event to set; null takes one away. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** Gives the event an id of its own, made of the redrive's id and the letter: the same whenever it is made again. */
  readonly newId?: boolean;
  /** The whole value anew, of one letter. */
  readonly value?: Buffer;
};

export const isEdit = ({ set, newId, value }: Edit): boolean =>
  set !== undefined || newId === true || value !== undefined;

/**
 * The edited value, or why it cannot be edited. Members that are not named keep their bytes, so that no number is
 * rounded and no escape is written another way.
 */
export const edited = (
  original: Buffer | null,
  edit: Edit,
  runId: string,
  at: Coordinates,
): { readonly ok: true; readonly value: Buffer | null } | { readonly ok: false; readonly why: string } => {
  const base = edit.value ?? original;
  const changes: Readonly<Record<string, unknown>> = {
    ...edit.set,
    ...(edit.newId === true && { event_id: derivedId(runId, at) }),
  };
  if (Object.keys(changes).length === 0) return { ok: true, value: base };
  const members = base === null ? null : membersOf(base);
  if (members === null) return { ok: false, why: 'its value is no JSON object: give a whole new value' };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) members.delete(name);
    else members.set(name, JSON.stringify(value));
  }
  const text = [...members].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',');
  return { ok: true, value: Buffer.from(`{${text}}`) };
};

/** Texts of the values by name, in their order; null: no JSON object. Of a name that stands twice, the last counts. */
const membersOf = (value: Buffer): Map<string, string> | null => {
  try {
    const parsed: unknown = JSON.parse(value.toString());
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
  } catch {
    return null;
  }
  const members = new Map<string, string>();
  for (const { key, from, to } of outerMembersOf(value)) {
    members.set(JSON.parse(Buffer.from(key).toString()) as string, value.toString('utf8', from, to));
  }
  return members;
};

/** A UUID of version 7 with the time of the run's id; the rest is a digest, so a crash makes no second one. */
const derivedId = (runId: string, at: Coordinates): string => {
  const digest = hash('sha256', `${runId} ${deadKey(at)}`, 'hex');
  const variant = (8 + (parseInt(digest.slice(3, 4), 16) % 4)).toString(16);
  return `${runId.slice(0, 14)}7${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
};
