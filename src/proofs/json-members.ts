import { ProofError, requireProof } from './proof-error.ts';

/** The members of a JSON object whose names are known: nothing else may stand in it. */
export type Members = {
  text(name: string): string;
  texts(name: string): readonly string[];
  whole(name: string): number;
  has(name: string): boolean;
  object(name: string, required: readonly string[], optional?: readonly string[]): Members;
};

/**
 * The object that `text` is. Throws ProofError (`malformed`) when it is none, when a name of `required` is missing, when
 * there is one that is in neither list, or when an object has a name twice, of which readers would take another one.
 */
export const membersOfText = (
  text: string,
  what: string,
  required: readonly string[],
  optional: readonly string[] = [],
): Members => {
  const value = parse(text, what);
  requireNamesOnce(text, what);
  return membersOf(value, what, required, optional);
};

const parse = (text: string, what: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProofError('malformed', `${what} is not JSON`);
  }
};

const membersOf = (
  value: unknown,
  what: string,
  required: readonly string[],
  optional: readonly string[] = [],
): Members => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  requireProof(isObject, 'malformed', `${what} is not a JSON object`);
  const members = new Map(Object.entries(value));
  for (const name of required) requireProof(members.has(name), 'malformed', `${what} has no member ${name}`);
  const known = new Set([...required, ...optional]);
  for (const name of members.keys())
    requireProof(known.has(name), 'malformed', `${what} has a member that is not known: ${name.slice(0, 40)}`);
  const get = <T>(name: string, is: (it: unknown) => it is T): T => {
    const member: unknown = members.get(name);
    requireProof(is(member), 'malformed', `member ${name} of ${what} is of the wrong kind`);
    return member;
  };
  return {
    text: (name) => get(name, isText),
    texts: (name) => get(name, (it): it is string[] => Array.isArray(it) && it.every(isText)),
    whole: (name) => get(name, (it): it is number => Number.isSafeInteger(it)),
    has: (name) => members.has(name),
    object: (name, names, more = []) => membersOf(members.get(name), `${name} of ${what}`, names, more),
  };
};

const isText = (it: unknown): it is string => typeof it === 'string' && it.isWellFormed();

/** Of text that is JSON already: a string before a colon is a name of the object that is open there. */
const requireNamesOnce = (text: string, what: string): void => {
  const open: Set<string>[] = [];
  for (const [token, name] of text.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (name !== undefined) {
      const plain = String(JSON.parse(name));
      requireProof(open.at(-1)?.has(plain) === false, 'malformed', `${what} has a member twice`);
      open.at(-1)?.add(plain);
    }
  }
};
