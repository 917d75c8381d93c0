import { runCli } from '../../src/cli/program.ts';
import { describeConfig, loadConfig } from '../../src/config.ts';
import { commandsOf } from '../../src/wire/commands.ts';
import type { Site } from './pipeline-process.ts';

/**
 * `immutrail …` as somebody types it at this site, with its exit code and what it prints, in the process of the tests:
 * one of its own takes a second to start.
 */
export const typedAt = (site: Pick<Site, 'env'>): Site['command'] => {
  const signal = new AbortController().signal;
  return async (args, env = {}) => {
    let [out, err] = ['', ''];
    const code = await runCli(args, {
      version: 'test',
      loadConfig: (file) => loadConfig({ environment: { ...site.env, ...env }, ...(file !== undefined && { file }) }),
      describeConfig,
      output: { out: (text) => void (out += text), err: (text) => void (err += text), colour: false, isWatched: false },
      commands: commandsOf('test', signal),
      signal,
    });
    return { code, out, err };
  };
};
