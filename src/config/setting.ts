import { z } from 'zod';

/** What a person needs to know of one setting; docs/configuration.md and every complaint are made of it. */
export type About = {
  readonly meaning: string;
  /** What may stand there, in words: "a whole number from 1 to 65535". */
  readonly allowed: string;
  readonly unit?: 'ms' | 'bytes' | 'events' | 'offsets' | 'calls/s' | 'bytes/s';
  /** `undefined`: it must be given. `null`: unset unless given. */
  readonly initial: string | number | boolean | readonly string[] | null | undefined;
  /** The value names a file that must be readable. */
  readonly file?: 'secret' | 'plain';
};

const registry = z.registry<About>();

/** The description of a leaf of the schema; undefined for a group. */
export const aboutOf = (schema: z.ZodType): About | undefined => registry.get(schema);

const describe = <S extends z.ZodType>(schema: S, about: About): S => {
  registry.add(schema, about);
  return schema;
};

// Environment variables are text; a file may say the same as a number. Anything else is left for zod to refuse.
const numeric = (given: unknown): unknown =>
  typeof given === 'string' && /^\d+(\.\d+)?$/.test(given) ? Number(given) : given;
const boolean = (given: unknown): unknown => (given === 'true' ? true : given === 'false' ? false : given);
const list = (given: unknown): unknown =>
  typeof given === 'string' ? given.split(',').map((part) => part.trim()) : given;

type Range = { readonly min: number; readonly max: number; readonly unit?: NonNullable<About['unit']> };

const wholeNumber = (range: Range) => z.preprocess(numeric, z.int().min(range.min).max(range.max));
const inRange = (range: Range): Pick<About, 'allowed' | 'unit'> => ({
  allowed: `a whole number from ${range.min} to ${range.max}`,
  ...(range.unit && { unit: range.unit }),
});

export const whole = (meaning: string, initial: number, range: Range) =>
  describe(wholeNumber(range).default(initial), { meaning, initial, ...inRange(range) });

export const wholeOrUnset = (meaning: string, range: Range) =>
  describe(wholeNumber(range).nullable().default(null), { meaning, initial: null, ...inRange(range) });

export const yesNo = (meaning: string, initial: boolean) =>
  describe(z.preprocess(boolean, z.boolean()).default(initial), { meaning, initial, allowed: 'true or false' });

export const oneOf = <const T extends readonly [string, ...string[]]>(
  meaning: string,
  choices: T,
  initial: NoInfer<T[number]>,
) => {
  const schema = z.enum(choices as readonly [T[number], ...T[number][]]).default(initial as never);
  return describe(schema, { meaning, initial, allowed: choices.join(', ') });
};

type Shape = { readonly pattern: RegExp; readonly allowed: string };

const anyText: Shape = { pattern: /^\S(.*\S)?$/, allowed: 'text' };

export const text = (meaning: string, initial: string, shape: Shape = anyText) =>
  describe(z.string().regex(shape.pattern).default(initial), { meaning, initial, allowed: shape.allowed });

export const textOrUnset = (meaning: string, shape: Shape = anyText) =>
  describe(z.string().regex(shape.pattern).nullable().default(null), {
    meaning,
    initial: null,
    allowed: shape.allowed,
  });

export const texts = (meaning: string, initial: readonly string[], shape: Shape) =>
  describe(z.preprocess(list, z.array(z.string().regex(shape.pattern)).min(1).max(100).readonly()).default(initial), {
    meaning,
    initial,
    allowed: `a list of ${shape.allowed}; in the environment separated by commas`,
  });

const listOf = (item: z.ZodString) => z.preprocess(list, z.array(item).max(16).readonly()).default([]);

/** As `texts`, and there may be none. */
export const textsOrNone = (meaning: string, shape: Shape) =>
  describe(listOf(z.string().regex(shape.pattern)), {
    meaning,
    initial: [],
    allowed: `up to 16: ${shape.allowed}; in the environment separated by commas`,
  });

export const secretFilesOrNone = (meaning: string) =>
  describe(listOf(z.string().min(1)), {
    meaning,
    initial: [],
    file: 'secret',
    allowed:
      'up to 16 paths of readable files that hold nothing but the secret; in the environment separated by commas',
  });

const readable = (file: 'secret' | 'plain') => ({
  file,
  allowed:
    file === 'secret' ? 'the path of a readable file that holds nothing but the secret' : 'the path of a readable file',
});

export const fileOrUnset = (meaning: string, file: 'secret' | 'plain') =>
  describe(z.string().min(1).nullable().default(null), { meaning, initial: null, ...readable(file) });

/** A file that must be named: a secret has no default. */
export const secretFile = (meaning: string) =>
  describe(z.string().min(1), { meaning, initial: undefined, ...readable('secret') });

/** A folder that this program writes files into. */
export const ownFolderOrUnset = (meaning: string) =>
  describe(z.string().min(1).nullable().default(null), { meaning, initial: null, allowed: 'the path of a folder' });

/** A file that this program writes; its folder must exist. */
export const ownFile = (meaning: string, initial: string) =>
  describe(z.string().min(1).default(initial), { meaning, initial, allowed: 'a path in an existing folder' });
