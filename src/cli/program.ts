import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Config } from '../config.ts';
import type { Commands, ProduceOptions, SchemaFormat } from './commands.ts';
import { addDlq } from './dlq.ts';
import { exitCodeText } from './exit-codes.ts';
import { addExport } from './exports.ts';
import { example } from './face.ts';
import { addKeys } from './keys.ts';
import { errorText, jsonOf, paintOf, type Output } from './output.ts';
import { addAudit } from './audit.ts';
import { progress } from './progress.ts';
import { addReceipts } from './receipts.ts';
import {
  breakerText,
  gapText,
  releasedText,
  initText,
  logText,
  producedText,
  eventJson,
  schemasText,
  statusText,
  eventText,
} from './texts.ts';
import { asPipelineError, errorTable, PipelineError } from '../errors.ts';

export type CliOptions = {
  readonly version: string;
  readonly loadConfig: (file: string | undefined) => Config;
  readonly describeConfig: (config: Config) => Readonly<Record<string, unknown>>;
  readonly commands: Commands;
  readonly output: Output;
  /** Aborted by a signal to the process; default: never. */
  readonly signal?: AbortSignal;
};

type Global = { readonly config?: string; readonly json?: boolean; readonly verbose?: boolean };

const whole = (name: string, min: number) => (text: string) => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new InvalidArgumentError(`${name} is a whole number from ${min} on.`);
};

/** Runs the command line; resolves with the exit code. Never rejects, never prints a stack for a person's mistake. */
export const runCli = async (args: readonly string[], options: CliOptions): Promise<number> => {
  const { output } = options;
  const program = programOf(options);
  let exitCode = 0;
  for (const command of withDescendants(program.program)) {
    command.exitOverride().configureOutput({ writeOut: output.out, writeErr: output.err });
  }
  program.onExit((code) => (exitCode = code));
  try {
    await program.program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { verbose = false } = program.program.opts<Global>();
    output.err(`${errorText(error, 'immutrail', { paint: paintOf(output), verbose })}\n`);
    return asPipelineError(error, 'immutrail').entry.exitCode;
  }
};

// A command copies these settings from its parent when it is made, and does not follow later changes.
const withDescendants = (command: Command): Command[] => [command, ...command.commands.flatMap(withDescendants)];

/** The program with all its commands, also for the generator of docs/cli.md. */
export const programOf = (options: CliOptions) => {
  const { commands, output } = options;
  let exit: (code: number) => void = () => undefined;
  const program = new Command('immutrail')
    .description('An audit trail anyone can check: Kafka to an immudb ledger, every offset accounted for exactly once.')
    .version(options.version)
    .option('-c, --config <file>', 'YAML file with settings; IMMUTRAIL_* variables go before it')
    .option('--json', 'print results as JSON')
    .option('--verbose', 'show the stack of an unexpected error')
    .addHelpText('after', `\nExit codes (docs/errors.md):\n${exitCodeText()}\n\nSettings: docs/configuration.md`)
    .showHelpAfterError('(add --help for what it takes)');
  const config = () => options.loadConfig(program.opts<Global>().config);
  const paint = paintOf(output);
  const print = (value: unknown, text: () => string) =>
    output.out(`${program.opts<Global>().json === true ? jsonOf(value) : text()}\n`);

  program
    .command('init')
    .description('make the topics, the database and the genesis of a ledger; prints the genesis hash to pin')
    .option('--partitions <n>', 'partitions of topics that are made (default 8)', whole('--partitions', 1))
    .option(
      '--replication-factor <n>',
      'replicas of topics that are made (default: 3, or the number of brokers)',
      whole('--replication-factor', 1),
    )
    .option(
      '--max-message-bytes <n>',
      'largest record of the topic; dead letters get room above it',
      whole('--max-message-bytes', 1024),
    )
    .option('--user <name>', 'also make an immudb user that may read and write this database only')
    .option('--user-password-file <file>', 'file with the password of that user')
    .addHelpText(
      'after',
      example('immutrail init', 'immutrail init --partitions 12 --user pipeline --user-password-file secrets/pipeline'),
    )
    .action(async (given: InitFlags) => {
      const made = await commands.init(config(), initOptions(given));
      print(made, () => initText(made, paint));
    });
  program
    .command('run')
    .description('consume the topic into the ledger until SIGTERM or SIGINT; /metrics, /livez and /readyz on http.port')
    .addHelpText('after', example('immutrail run', 'IMMUTRAIL_LOG_FORMAT=pretty immutrail run'))
    .action(async () => exit(await commands.run(config())));
  program
    .command('status')
    .description('how far the ledger is, partition by partition: log end, ledger, committed, lag, last transaction')
    .addHelpText('after', example('immutrail status', 'immutrail status --json | jq .lag'))
    .action(async () => {
      const status = await commands.status(config());
      print(status, () => statusText(status, paint));
    });
  program
    .command('get')
    .argument('<event_id>', 'UUID of the event')
    .description('one event from the ledger, proven to be in its transaction')
    .addHelpText('after', example('immutrail get 0198c2f4-7c1e-7abc-8def-0123456789ab'))
    .action(async (eventId: string) => {
      const event = await commands.getEvent(config(), eventId);
      print(eventJson(event), () => eventText(event, paint));
    });
  program
    .command('produce')
    .description(
      "publish the demo's events of the seven services: whole remediation stories, some poison, some duplicates",
    )
    .option('--count <n>', 'events', whole('--count', 1), 2000)
    .option('--rate <n>', 'events per second (default: as fast as Kafka takes them)', whole('--rate', 1))
    .option('--seed <n>', 'makes the same events again', whole('--seed', 0))
    .option('--poison <n>', 'records among them that cannot be stored', whole('--poison', 0), 0)
    .option('--duplicates <n>', 'records among them that repeat an earlier one', whole('--duplicates', 0), 0)
    .addHelpText('after', example('immutrail produce --count 2000 --poison 20 --duplicates 20 --seed 1'))
    .action(async (given: ProduceFlags) => {
      const { count, poison, duplicates, rate = null, seed = null } = given;
      const { onProgress, end } = progress(output, 'published');
      const asked = { count, poison, duplicates, rate, seed, onProgress };
      const produced = await commands.produce(config(), asked).finally(end);
      print(produced, () => producedText(produced));
    });
  const log = program.command('log').description('lives of the Kafka topic');
  reasoned(log.command('reopen'))
    .description('go on with a topic that was replaced, rewound or truncated: as a new log, read from its start')
    .addHelpText('after', example('immutrail log reopen --by ada --why "cluster restored from backup, ticket 4711"'))
    .action(async (reason: ReasonFlags) => {
      const reopened = await commands.logReopen(config(), reason);
      print(reopened, () => logText(reopened));
    });
  const gap = program.command('gap').description('records that Kafka deleted before they were stored');
  reasoned(gap.command('accept'))
    .argument('<partition>', 'the partition that is held', whole('partition', 0))
    .description('accept the loss of such records: stated in the ledger with who and why, and the partition goes on')
    .addHelpText('after', example('immutrail gap accept 3 --by ada --why "retention was one hour during the outage"'))
    .action(async (partition: number, reason: ReasonFlags) => {
      const accepted = await commands.gapAccept(config(), partition, reason);
      print(accepted, () => gapText(accepted));
    });
  const schemas = program.command('schemas').description('the catalogue of events as schemas of a registry');
  const formatOption = ['--format <format>', 'avro or json', format, 'avro'] as const;
  for (const act of ['check', 'publish'] as const) {
    schemas
      .command(act)
      .option(...formatOption)
      .description(schemasTexts[act])
      .addHelpText('after', example(`immutrail schemas ${act}`, `immutrail schemas ${act} --format json`))
      .action(async (given: SchemasFlags) => {
        const rows = await commands.schemas(config(), { act, ...given });
        print(rows, () => schemasText(rows, paint));
        if (rows.some(({ problems }) => problems.length > 0)) exit(errorTable.REGISTRY_REFUSED.exitCode);
      });
  }
  schemas
    .command('print')
    .argument('<event_type>', 'a type of docs/events.md, or an old name of one')
    .option(...formatOption)
    .description('the schema of one event type')
    .addHelpText('after', example('immutrail schemas print gateway.signal.received --format json'))
    .action((type: string, given: SchemasFlags) => output.out(`${jsonOf(commands.schemaOf(type, given.format))}\n`));
  const face = { program, commands, config, output, paint, print, exit: (code: number) => exit(code) };
  addReceipts(face);
  addAudit(face);
  addExport(face);
  addKeys(face);
  const breaker = program
    .command('breaker')
    .description('partitions that are held because most of their records would be dead letters, and why')
    .addHelpText(
      'after',
      example('immutrail breaker', 'immutrail breaker release --by ada --why "bad deploy, ticket 4711"'),
    )
    .action(async () => {
      const held = await commands.breaker(config());
      print({ held }, () => breakerText(held));
    });
  reasoned(breaker.command('release'))
    .argument('[partition]', 'the partition; default: all that are held', whole('partition', 0))
    .description('let what lies on held partitions become dead letters: stated in the ledger with who and why')
    .addHelpText('after', example('immutrail breaker release 3 --by ada --why "bad deploy, ticket 4711"'))
    .action(async (partition: number | undefined, reason: ReasonFlags) => {
      const released = await commands.breakerRelease(config(), partition ?? null, reason);
      print({ released }, () => releasedText(released));
    });
  const { signal = new AbortController().signal } = options;
  addDlq(program, { open: commands.deadLetters, config, print, output, example, signal });
  program
    .command('config')
    .description('check the configuration and print it; secrets are never shown')
    .action(() => {
      const described = options.describeConfig(config());
      print(described, () =>
        Object.entries(described)
          .map(([name, value]) => `${name}: ${String(value)}`)
          .join('\n'),
      );
    });
  return { program, onExit: (listener: (code: number) => void) => (exit = listener) };
};

type InitFlags = {
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly maxMessageBytes?: number;
  readonly user?: string;
  readonly userPasswordFile?: string;
};
type ProduceFlags = Omit<ProduceOptions, 'rate' | 'seed'> & { readonly rate?: number; readonly seed?: number };
type SchemasFlags = { readonly format: SchemaFormat };
type ReasonFlags = { readonly by: string; readonly why: string };

const initOptions = ({ user, userPasswordFile, ...topics }: InitFlags) => {
  if ((user === undefined) !== (userPasswordFile === undefined)) {
    throw new PipelineError('USAGE', 'init: --user and --user-password-file belong together');
  }
  if (user === undefined || userPasswordFile === undefined) return topics;
  return { ...topics, user: { username: user, passwordFile: userPasswordFile, permission: 'readWrite' as const } };
};

const schemasTexts = {
  check:
    'whether every schema could be the next version of its subject, `<topic>-<event_type>`; changes nothing, and ends with 71 if one could not',
  publish:
    'register every schema under `<topic>-<event_type>`, after a check of all: where one fails, none is registered',
};

const format = (text: string): SchemaFormat => {
  if (text === 'avro' || text === 'json') return text;
  throw new InvalidArgumentError('--format is avro or json.');
};

const reasoned = (command: Command): Command =>
  command
    .requiredOption('--by <name>', 'who decided it; kept in the ledger for ever', said('--by'))
    .requiredOption('--why <reason>', 'why; kept in the ledger for ever', said('--why'));

const said = (name: string) => (text: string) => {
  if (text.trim() !== '') return text.trim();
  throw new InvalidArgumentError(`${name} must say something: it stays in the ledger.`);
};
