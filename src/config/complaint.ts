import { z } from 'zod';
import { configSchema } from './schema.ts';
import { settings, type Setting } from './settings.ts';
import { didYouMean, isTree, type Environment, type Tree } from './source.ts';

type Given = { readonly tree: Tree; readonly environment: Environment };

/** What zod found, in the words of the person who wrote the configuration. Values of secrets never come here. */
export const complaints = (issues: readonly z.core.$ZodIssue[], given: Given): string[] => [
  ...new Set(issues.flatMap((issue) => complaintsOf(issue, given))),
];

const complaintsOf = (issue: z.core.$ZodIssue, given: Given): string[] => {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  const setting = settings.find((one) => one.path.every((word, at) => path[at] === word));
  return [setting ? wrongValue(setting, given) : `${path.join('.') || 'the file'}: must be a group of settings`];
};

const unknownKey = (path: readonly string[], key: string): string => {
  const siblings = Object.keys(groupSchema(path)?.shape ?? {});
  const full = (word: string) => [...path, word].join('.');
  return `${full(key)}: there is no such setting${didYouMean(full(key), siblings.map(full))}`;
};

const groupSchema = (path: readonly string[]): z.ZodObject | undefined => {
  let here: z.ZodObject | undefined = configSchema;
  for (const name of path) {
    const child: unknown = here?.shape[name];
    here = child instanceof z.ZodObject ? child : undefined;
  }
  return here;
};

const wrongValue = (setting: Setting, { tree, environment }: Given): string => {
  const unit = setting.unit ? ` (${setting.unit})` : '';
  const value = setting.path.reduce<unknown>((here, name) => (isTree(here) ? here[name] : undefined), tree);
  if (value === undefined) return `${nameOf(setting)}: must be given: ${setting.allowed}${unit}`;
  const from = environment[setting.variable] ? setting.variable : setting.path.join('.');
  return `${from}: is ${shown(value)}, but must be ${setting.allowed}${unit}`;
};

export const nameOf = (setting: Setting): string => `${setting.path.join('.')} (${setting.variable})`;

// A broker written as a URL may carry a password before its @.
const shown = (value: unknown): string => {
  const text = JSON.stringify(value).replace(/[^\s"',/]*@/g, '[redacted]@');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
};
