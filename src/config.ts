import { readFileSync } from 'node:fs';
import { combinationProblems } from './config/combinations.ts';
import { complaints } from './config/complaint.ts';
import { configSchema, type Config } from './config/schema.ts';
import { settings } from './config/settings.ts';
import { fileTree, overlayEnvironment, unknownVariables, type Environment, type Tree } from './config/source.ts';
import { PipelineError } from './errors.ts';

export type { Config };

export type ConfigSource = {
  /** Default: the environment of the process. */
  readonly environment?: Environment;
  /** A YAML file; default: what IMMUTRAIL_CONFIG names, else none. The environment goes before the file. */
  readonly file?: string;
};

/** Reads and checks everything, and reports all problems at once: throws CONFIG_INVALID with one line for each. */
export const loadConfig = ({ environment = process.env, file }: ConfigSource = {}): Config => {
  const problems = unknownVariables(environment);
  const path = file ?? given(environment['IMMUTRAIL_CONFIG']);
  const tree: Tree = path === undefined ? {} : fileTree(path, problems);
  overlayEnvironment(tree, environment);
  const parsed = configSchema.safeParse(tree);
  if (parsed.success) problems.push(...combinationProblems(parsed.data));
  else problems.push(...complaints(parsed.error.issues, { tree, environment }));
  if (!parsed.success || problems.length > 0) throw invalid(problems);
  return frozen(parsed.data);
};

const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value);

const invalid = (problems: readonly string[]): PipelineError =>
  new PipelineError(
    'CONFIG_INVALID',
    ['reading the configuration:', ...problems.map((one) => `  - ${one}`)].join('\n'),
  );

const frozen = <T extends object>(value: T): T => {
  for (const child of Object.values(value)) if (typeof child === 'object' && child !== null) frozen(child as object);
  return Object.freeze(value);
};

/** Effective values, one `path: value` pair per setting. Of a secret only the file's name shows. */
export const describeConfig = (config: Config): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    settings.map(({ path }) => [
      path.join('.'),
      path.reduce<unknown>((here, name) => (here as Record<string, unknown>)[name], config),
    ]),
  );

/** A secret as its file holds it now, without the line's end. Call it whenever it is needed, so that it can be rotated. */
export const readSecret = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new PipelineError('CONFIG_INVALID', `reading the secret in ${file}: it cannot be read`, { cause });
  }
};

/** What the environment and the terminal say about colours (no-color.org). */
export const wantsColour = (isTerminal: boolean, environment: Environment = process.env): boolean =>
  isTerminal && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
