/** The command line as `--help` tells of it, for pages and tests: it runs no command. */
import { programOf } from '../src/cli/program.ts';

const never = () => Promise.reject(new Error('documentation runs no command'));

export const documentedProgram = () =>
  programOf({
    version: '',
    loadConfig: () => {
      throw new Error('documentation loads no configuration');
    },
    describeConfig: () => ({}),
    commands: {
      init: never,
      status: never,
      getEvent: never,
      audit: never,
      logReopen: never,
      gapAccept: never,
      run: never,
      produce: never,
      schemas: never,
      schemaOf: () => ({}),
      makeKey: never,
      showKeys: never,
      receipt: never,
      verify: never,
      exportEvents: never,
      deadLetters: never,
      breaker: never,
      breakerRelease: never,
    },
    output: { out: () => undefined, err: () => undefined, colour: false, isWatched: false },
  }).program;
