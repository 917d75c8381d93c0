/**
 * `npm run demo`: real servers, the seven services' events, the pipeline, and what came of it. Stays up until Ctrl-C;
 * with --once it ends by itself, with 0 only if every offset is accounted for. Everything that it starts ends with it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pc from 'picocolors';
import type { Produced, Status } from '../src/cli/commands.ts';
import { tableOf } from '../src/cli/output.ts';
import { loadConfig, type Config } from '../src/config.ts';
import { PipelineError } from '../src/errors.ts';
import { accountFor, type Account } from '../src/queries/account.ts';
import { getEvent, init, status } from '../src/wire/acts.ts';
import { connectLedgerClient } from '../src/wire/connect.ts';
import { produce } from '../src/wire/produce.ts';
import { runUntilStopped } from '../src/wire/run-until-stopped.ts';
import { startStack } from '../stack/start.ts';
import { endWithParent } from './end-with-parent.ts';
import type { Stack } from '../stack/stack.ts';

endWithParent();

const events = 2000;
const poison = 20;
const duplicates = 20;
const once = process.argv.includes('--once');
const bar = (text: string) => console.log(`${pc.cyan('▸')} ${text}`);

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(signal));

const configFor = (stack: Stack, folder: string, genesis?: string): Config =>
  loadConfig({
    environment: {
      IMMUTRAIL_KAFKA_BROKERS: stack.kafka.brokers.join(','),
      IMMUTRAIL_LEDGER_HOST: stack.immudb.host,
      IMMUTRAIL_LEDGER_PORT: String(stack.immudb.port),
      IMMUTRAIL_LEDGER_USERNAME: stack.immudb.username,
      IMMUTRAIL_LEDGER_PASSWORD_FILE: stack.immudb.passwordFile,
      IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: join(folder, 'trusted-state.json'),
      IMMUTRAIL_HTTP_PORT: process.env['IMMUTRAIL_HTTP_PORT'] ?? '9464',
      IMMUTRAIL_LAG_EVERY_MS: '1000',
      IMMUTRAIL_LOG_LEVEL: 'error',
      IMMUTRAIL_LOG_FORMAT: 'pretty',
      ...(genesis !== undefined && { IMMUTRAIL_LEDGER_GENESIS: genesis }),
    },
  });

/** Waits until the ledger covers every partition to its end. */
const caughtUp = async (config: Config, running: Promise<number>): Promise<Status> => {
  for (;;) {
    const now = await status(config);
    if (now.lag === 0n) return now;
    const code = await Promise.race([running, new Promise<null>((resolve) => setTimeout(resolve, 200, null))]);
    if (code !== null) throw new PipelineError('UNEXPECTED', `the pipeline ended with ${code} before it was done`);
    stop.signal.throwIfAborted();
  }
};

const account = async (config: Config): Promise<{ account: Account; someEvent: string | null }> => {
  const client = await connectLedgerClient(config);
  let someEvent: string | null = null;
  try {
    return { account: await accountFor(client, { onEvent: (id) => (someEvent ??= id) }), someEvent };
  } finally {
    await client.close();
  }
};

/** What does not add up; empty: every offset is accounted for. */
const shortfalls = (produced: Produced, { partitions, deviations }: Account): string[] => {
  const sum = (pick: (row: Account['partitions'][number]) => bigint) =>
    Number(partitions.reduce((total, row) => total + pick(row), 0n));
  const expected = [
    ['stored', produced.valid, sum((row) => row.stored)],
    ['duplicates', produced.duplicates, sum((row) => row.duplicates)],
    ['dead letters', produced.poison, sum((row) => row.dead)],
  ] as const;
  const wrong = expected.filter(([, wanted, found]) => wanted !== found);
  return [...deviations, ...wrong.map(([what, wanted, found]) => `${what}: ${found}, not ${wanted}`)];
};

const report = (produced: Produced, now: Status, counted: Account, tookMs: number): void => {
  const sum = (pick: (row: Account['partitions'][number]) => bigint) =>
    counted.partitions.reduce((total, row) => total + pick(row), 0n).toString();
  const all = produced.valid + produced.duplicates + produced.poison;
  const rows = [
    [
      'produced',
      `${all} records: ${produced.valid} events, ${produced.duplicates} duplicates, ${produced.poison} poison`,
    ],
    ['stored', sum((row) => row.stored)],
    ['duplicates', sum((row) => row.duplicates)],
    ['dead letters', sum((row) => row.dead)],
    ...[...counted.deadByCode].map(([code, count]) => [`  ${code}`, String(count)]),
    ['transactions', counted.transactions.toString()],
    ['lag', now.lag.toString()],
    ['events per second', String(Math.round((all / tookMs) * 1000))],
  ];
  console.log(`\n${tableOf(['', ''], rows, [])}\n`);
};

const demo = async (): Promise<number> => {
  const folder = await mkdtemp(join(tmpdir(), 'immutrail-demo-'));
  const stack = await startStack({ onProgress: bar, signal: stop.signal });
  const ending = new AbortController();
  let running: Promise<number> | null = null;
  try {
    bar('making topics, database and genesis');
    const { genesis } = await init(configFor(stack, folder), {});
    const config = configFor(stack, folder, genesis);
    bar(`genesis ${genesis}`);
    bar(`the seven services publish ${events} events, with ${poison} poison records and ${duplicates} duplicates`);
    const produced = await produce(config, { count: events, poison, duplicates, rate: null, seed: 1 });
    bar('the pipeline carries them to the ledger');
    const started = performance.now();
    running = runUntilStopped(config, 'demo', AbortSignal.any([stop.signal, ending.signal]));
    const now = await caughtUp(config, running);
    const tookMs = performance.now() - started;
    bar('reading the ledger transaction by transaction, accounting for every offset');
    const { account: counted, someEvent } = await account(config);
    report(produced, now, counted, tookMs);
    if (someEvent !== null) {
      const { eventId, tx, source, json } = await getEvent(config, someEvent);
      console.log(
        `event ${eventId}, transaction ${tx.toString()}, from partition ${source.partition} offset ${source.offset.toString()}, proven:`,
      );
      console.log(`${json.toString().slice(0, 300)} …\n`);
    }
    const wrong = shortfalls(produced, counted);
    for (const line of wrong) console.log(pc.red(`✗ ${line}`));
    if (wrong.length === 0) console.log(pc.green('✓ every offset is accounted for, exactly once'));
    const url = `http://${config.http.host}:${config.http.port}`;
    console.log(
      `\nmetrics ${url}/metrics   health ${url}/readyz   Kafka ${stack.kafka.brokers.join(',')}   immudb ${stack.immudb.host}:${stack.immudb.port}`,
    );
    if (!once) {
      console.log('running until Ctrl-C');
      await running;
    }
    return wrong.length === 0 ? 0 : 1;
  } finally {
    ending.abort('the demo ends');
    await running?.catch(() => undefined);
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

try {
  process.exitCode = await demo();
} catch (error) {
  if (stop.signal.aborted) process.exitCode = 130;
  else {
    console.error(
      pc.red(error instanceof PipelineError ? `${error.code}: ${error.message}\n${error.entry.advice}` : String(error)),
    );
    process.exitCode = 1;
  }
}
