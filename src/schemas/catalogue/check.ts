import { isLonger } from '../code-points.ts';
import type { Fields, Form, Shape, Text } from './shape.ts';
import { isObject } from '../json/object.ts';

/** One thing that is wrong: where (names of our own fields, `*` for a member that a producer named), and what. */
export type Problem = { readonly at: string; readonly problem: string };

/** Adds what is wrong with a value; nothing if it is right. Problems never hold the value. Time grows with its size. */
export type Check = (value: unknown, problems: Problem[]) => void;

/** What a value must be, as the rest of a sentence; null: it is that. */
type Leaf = (value: unknown) => string | null;

/** Of a shape, made once; safe for any value that JSON.parse returns. */
export const checkOf = (shape: Shape): Check => {
  const node = nodeOf(shape);
  return (value, problems) => node(value, '', problems);
};

type Node = (value: unknown, at: string, problems: Problem[]) => void;

const nodeOf = (shape: Form): Node => {
  switch (shape.kind) {
    case 'fields':
      return fieldsOf(shape);
    case 'text-map':
      return membersOf(shape.max, leafOfText(shape.values));
    case 'list':
      return itemsOf(shape.max, leafOfText(shape.items));
    case 'document':
      return leaf((value) => (isObject(value) ? null : 'must be an object'));
    case 'text':
    case 'one-of':
    case 'whole':
    case 'fraction':
    case 'yes-no':
      return leaf(leafOf(shape));
  }
};

const leaf =
  (judge: Leaf): Node =>
  (value, at, problems) => {
    const problem = judge(value);
    if (problem !== null) problems.push({ at, problem });
  };

const leafOf = (shape: Exclude<Form, { kind: 'fields' | 'text-map' | 'list' | 'document' }>): Leaf => {
  switch (shape.kind) {
    case 'text':
      return leafOfText(shape);
    case 'one-of': {
      const values = new Set<unknown>(shape.values);
      const wrong = `must be ${shape.values.join(', ')}`.replace(/, ([^,]*)$/, ' or $1');
      return (value) => (values.has(value) ? null : wrong);
    }
    case 'whole':
      return numberFrom(Number.isSafeInteger, 'a whole number', shape);
    case 'fraction':
      return numberFrom(Number.isFinite, 'a number', shape);
    case 'yes-no':
      return (value) => (typeof value === 'boolean' ? null : 'must be true or false');
  }
};

const numberFrom = (
  isNumber: (value: unknown) => boolean,
  what: string,
  { min, max }: { min: number; max: number },
) => {
  const wrong = `must be ${what} from ${min}${max === Number.MAX_SAFE_INTEGER ? ' on' : ` to ${max}`}`;
  return (value: unknown): string | null =>
    isNumber(value) && (value as number) >= min && (value as number) <= max ? null : wrong;
};

/** The pattern is asked last: it never sees a long text. */
const leafOfText = ({ min, max, form }: Text): Leaf => {
  const wrongLength = min === 0 ? `must have at most ${max} characters` : `must have ${min} to ${max} characters`;
  return (value) => {
    if (typeof value !== 'string') return 'must be a string';
    if (value.length < min || isLonger(value, max)) return wrongLength;
    return form === undefined || form.pattern.test(value) ? null : `must be ${form.words}`;
  };
};

const under = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);

type Member = { readonly isRequired: boolean; readonly node: Node };

/** Goes through the members that are there, which are few, and not through those that might be. */
const fieldsOf = ({ required, optional }: Fields): Node => {
  const members = new Map<string, Member>();
  for (const [name, shape] of Object.entries(optional)) members.set(name, { isRequired: false, node: nodeOf(shape) });
  for (const [name, shape] of Object.entries(required)) members.set(name, { isRequired: true, node: nodeOf(shape) });
  const names = Object.keys(required);
  return (value, at, problems) => {
    if (!isObject(value)) {
      problems.push({ at, problem: 'must be an object' });
      return;
    }
    let there = 0;
    for (const name in value) {
      const member = members.get(name);
      const inner = value[name];
      if (member === undefined || inner === null || inner === undefined) continue;
      if (member.isRequired) there++;
      const before = problems.length;
      member.node(inner, '', problems);
      if (problems.length > before) nameThem(problems, before, under(at, name));
    }
    if (there < names.length) tellMissing(value, names, at, problems);
  };
};

/** Paths are put together only where something is wrong. */
const nameThem = (problems: Problem[], from: number, at: string): void => {
  for (let index = from; index < problems.length; index++) {
    const found = problems[index];
    if (found !== undefined)
      problems[index] = { at: found.at === '' ? at : `${at}.${found.at}`, problem: found.problem };
  }
};

const tellMissing = (
  value: Readonly<Record<string, unknown>>,
  names: readonly string[],
  at: string,
  problems: Problem[],
): void => {
  for (const name of names) {
    if (value[name] === undefined || value[name] === null)
      problems.push({ at: under(at, name), problem: 'is missing' });
  }
};

const membersOf =
  (max: number, judge: Leaf): Node =>
  (value, at, problems) => {
    if (!isObject(value)) {
      problems.push({ at, problem: 'must be an object' });
      return;
    }
    let count = 0;
    for (const name in value) {
      count++;
      const problem = count > max ? `must have at most ${max} members` : judge(value[name]);
      if (problem === null) continue;
      problems.push(count > max ? { at, problem } : { at: under(at, '*'), problem });
      return;
    }
  };

const itemsOf =
  (max: number, judge: Leaf): Node =>
  (value, at, problems) => {
    if (!Array.isArray(value)) {
      problems.push({ at, problem: 'must be a list' });
      return;
    }
    const wrong = value.length > max ? `must have at most ${max} items` : null;
    if (wrong !== null) problems.push({ at, problem: wrong });
    else {
      const problem = value.map(judge).find((one) => one !== null);
      if (problem !== undefined) problems.push({ at: under(at, '*'), problem });
    }
  };
