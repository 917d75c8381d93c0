#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { runCli } from './cli/program.ts';
import { describeConfig, loadConfig, wantsColour } from './config.ts';
import { gapAccept, getEvent, init, logReopen, status } from './wire/acts.ts';
import { produce } from './wire/produce.ts';
import { runUntilStopped } from './wire/run-until-stopped.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The process: alone handles signals and exit codes. */
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => stop.abort(signal));
}

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  loadConfig: (file) => loadConfig(file === undefined ? {} : { file }),
  describeConfig,
  output: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    colour: wantsColour(process.stdout.isTTY),
  },
  commands: {
    init,
    status,
    getEvent,
    logReopen,
    gapAccept,
    produce,
    run: (config) => runUntilStopped(config, version, stop.signal),
  },
});
