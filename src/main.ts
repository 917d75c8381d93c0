#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { runCli } from './cli/program.ts';
import { describeConfig, loadConfig, wantsColour } from './config.ts';
import { commandsOf } from './wire/commands.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The process: alone handles signals and exit codes. */
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => stop.abort(signal));
}

// `immutrail status --json | head -1`: whoever reads has read enough, which is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  loadConfig: (file) => loadConfig(file === undefined ? {} : { file }),
  describeConfig,
  signal: stop.signal,
  output: {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    colour: wantsColour(process.stdout.isTTY),
    isWatched: process.stderr.isTTY,
  },
  commands: commandsOf(version, stop.signal),
});

// What a library left open must not keep a stopped pipeline alive until somebody kills it. Not reached in a clean end.
const leaveMs = 10_000;
const leave = () => {
  process.stderr.write(`immutrail: something still runs ${leaveMs / 1000} s after the end; it is left behind\n`);
  process.exit();
};
setTimeout(leave, leaveMs).unref();
