/** Sorts the rows of one transaction into the lists that postings are made of. */
import { actorHead, correlationHead, type PostingHead, timeHead, typeHead } from './keys.ts';
import type { Line } from './posting-rows.ts';

export type Family = {
  readonly head: PostingHead;
  readonly kind: 'time' | 'actor' | 'type' | 'corr';
  /** In the order in which they were given. */
  readonly lines: readonly Line[];
};

/** Lists in the order in which they may use spare entries: whole-ledger pages gain most from narrow postings. */
export const familiesOf = (lines: readonly Line[]): readonly Family[] => {
  const correlations = new Map<string, Line[]>();
  const types = new Map<string, Line[]>();
  const actors = new Map<string, Map<string, Line[]>>();
  for (const line of lines) {
    const { correlationId, eventType, actorType, actorId } = line.at.facts;
    listOf(correlations, correlationId).push(line);
    listOf(types, eventType).push(line);
    if (actorType !== null && actorId !== null) listOf(idsOf(actors, actorType), actorId).push(line);
  }
  const families: Family[] = [{ head: timeHead, kind: 'time', lines }];
  for (const [type, ids] of actors) {
    for (const [id, list] of ids) families.push({ head: actorHead(type, id), kind: 'actor', lines: list });
  }
  for (const [type, list] of types) families.push({ head: typeHead(type), kind: 'type', lines: list });
  for (const [id, list] of correlations) families.push({ head: correlationHead(id), kind: 'corr', lines: list });
  return families;
};

const listOf = (lists: Map<string, Line[]>, name: string): Line[] => {
  const known = lists.get(name);
  if (known !== undefined) return known;
  const made: Line[] = [];
  lists.set(name, made);
  return made;
};

const idsOf = <T>(actors: Map<string, Map<string, T>>, type: string): Map<string, T> => {
  const known = actors.get(type);
  if (known !== undefined) return known;
  const made = new Map<string, T>();
  actors.set(type, made);
  return made;
};
