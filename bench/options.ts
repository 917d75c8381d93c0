import { parseArgs } from 'node:util';

export type BenchOptions = {
  readonly events: number;
  readonly rounds: number;
  readonly only?: string | undefined;
  readonly write: boolean;
  readonly profile?: string | undefined;
};

const help = `npm run bench -- [options]

  --events N        events in each topic (300000)
  --rounds N        interleaved rounds, of which medians count (3)
  --only a,b,...    only these rows, by the names that are printed; writes no docs/benchmarks.md
  --write           writes docs/benchmarks.md all the same
  --profile FOLDER  a CPU profile of each measured process, as node --cpu-prof writes it
  --help            this
`;

/** Ends the process with 0 after --help, and with 2 after telling what is wrong with the arguments. */
export const optionsOf = (args: readonly string[]): BenchOptions => {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        events: { type: 'string', default: '300000' },
        rounds: { type: 'string', default: '3' },
        only: { type: 'string' },
        write: { type: 'boolean', default: false },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(help);
      process.exit(0);
    }
    const { only, write, profile } = values;
    return { events: count('--events', values.events), rounds: count('--rounds', values.rounds), only, write, profile };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
    process.exit(2);
  }
};

const count = (option: string, text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option}: ${text} is no whole number from 1 on`);
  return Number(text);
};
