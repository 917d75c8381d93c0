import { readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { nearest } from './nearest.ts';
import { settings, variablePrefix } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type Tree = Record<string, unknown>;

/** Variables of ours that are not settings: where the file is, and what the development stack reads. */
const otherVariables = ['IMMUTRAIL_CONFIG', 'IMMUTRAIL_STACK'] as const;

export const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The YAML file as a tree; what is wrong with the file itself goes to `problems`. */
export const fileTree = (file: string, problems: string[]): Tree => {
  try {
    const document = parseDocument(readFileSync(file, 'utf8'), { uniqueKeys: true });
    // Only the first line of a parser's message: the rest quotes the file, which might hold a misplaced secret.
    problems.push(...document.errors.map((error) => `${file}: ${error.message.split('\n')[0] ?? ''}`));
    const root: unknown = document.errors.length > 0 ? {} : (document.toJS() ?? {});
    if (isTree(root)) return root;
    problems.push(`${file}: must be a mapping of groups, such as "kafka:"`);
  } catch (error) {
    problems.push(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`);
  }
  return {};
};

/** Lays the environment over the tree. An empty variable is one that is not set. */
export const overlayEnvironment = (tree: Tree, environment: Environment): void => {
  for (const { path, variable } of settings) {
    const value = environment[variable];
    const group = groupAt(tree, path.slice(0, -1));
    if (value !== undefined && value !== '' && group) group[path.at(-1) ?? ''] = value;
  }
};

// An absent or empty group ("kafka:" alone) is made; a group that is no mapping is left for the schema to refuse.
const groupAt = (tree: Tree, path: readonly string[]): Tree | undefined => {
  let here: Tree = tree;
  for (const name of path) {
    here[name] ??= {};
    const next = here[name];
    if (!isTree(next)) return undefined;
    here = next;
  }
  return here;
};

export const unknownVariables = (environment: Environment): string[] => {
  const known = [...settings.map(({ variable }) => variable), ...otherVariables];
  return Object.keys(environment)
    .filter((name) => name.startsWith(variablePrefix) && !known.includes(name))
    .map((name) => `${name}: there is no such variable${didYouMean(name, known)}`);
};

export const didYouMean = (given: string, known: readonly string[]): string => {
  const word = nearest(given, known);
  return word === undefined ? '' : `; did you mean ${word}?`;
};
