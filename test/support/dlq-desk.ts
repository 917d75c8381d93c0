import { loadConfig } from '../../src/config.ts';
import type { Site } from './pipeline-process.ts';
import { typedAt } from './typed.ts';

export type Json = Readonly<Record<string, unknown>>;

/** `immutrail dlq …` and `immutrail breaker …` as typed. */
export const dlqOf = (site: Site, env: Readonly<Record<string, string>> = {}) => {
  const typed = typedAt(site);
  const command = (args: readonly string[]) => typed(args, env);
  return {
    config: () => loadConfig({ environment: { ...site.env, ...env } }),
    command,
    /** The result of a command that must do well. */
    json: async (...args: readonly string[]): Promise<Json> => {
      const { code, out, err } = await command(['--json', ...args]);
      if (code !== 0) throw new Error(`immutrail ${args.join(' ')} ended with ${String(code)}: ${err}`);
      return JSON.parse(out) as Json;
    },
  };
};
