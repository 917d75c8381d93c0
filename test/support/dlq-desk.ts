import { runCli } from '../../src/cli/program.ts';
import type { Commands } from '../../src/cli/commands.ts';
import { loadConfig } from '../../src/config.ts';
import { breakerHolds, breakerRelease } from '../../src/wire/breaker.ts';
import { openDeadLetters } from '../../src/wire/dead-letters.ts';
import type { Site } from './pipeline-process.ts';

export type Json = Readonly<Record<string, unknown>>;

/** `immutrail dlq …` and `immutrail breaker …` as typed, without a process for each: those take seconds to start. */
export const dlqOf = (site: Site, env: Readonly<Record<string, string>> = {}) => {
  const config = () => loadConfig({ environment: { ...site.env, ...env } });
  const command = async (args: readonly string[]) => {
    let [out, err] = ['', ''];
    const code = await runCli(args, {
      version: 'test',
      loadConfig: config,
      describeConfig: () => ({}),
      output: { out: (text) => void (out += text), err: (text) => void (err += text), colour: false, isWatched: false },
      commands: { deadLetters: openDeadLetters, breaker: breakerHolds, breakerRelease } as unknown as Commands,
    });
    return { code, out, err };
  };
  return {
    config,
    command,
    /** The result of a command that must do well. */
    json: async (...args: readonly string[]): Promise<Json> => {
      const { code, out, err } = await command(['--json', ...args]);
      if (code !== 0) throw new Error(`immutrail ${args.join(' ')} ended with ${code}: ${err}`);
      return JSON.parse(out) as Json;
    },
  };
};
