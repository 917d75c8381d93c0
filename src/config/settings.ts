import { z } from 'zod';
import { configSchema } from './schema.ts';
import { aboutOf, type About } from './setting.ts';

/** One setting: where it stands in the file, what it is called in the environment, and what it means. */
export type Setting = About & { readonly path: readonly string[]; readonly variable: string };

export const variablePrefix = 'IMMUTRAIL_';

const variableOf = (path: readonly string[]): string =>
  variablePrefix + path.map((word) => word.replace(/[A-Z]/g, '_$&').toUpperCase()).join('_');

const collect = (schema: z.ZodObject, path: readonly string[]): Setting[] =>
  Object.entries(schema.shape).flatMap(([name, child]) => {
    const here = [...path, name];
    if (child instanceof z.ZodObject) return collect(child, here);
    const about = aboutOf(child as z.ZodType);
    if (!about) throw new Error(`setting ${here.join('.')} is not described`);
    return [{ ...about, path: here, variable: variableOf(here) }];
  });

/** All settings in the order of the schema. */
export const settings: readonly Setting[] = collect(configSchema, []);
