/** What the rows of the bench are run with: one stack, topics and databases of their own, measured processes. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { kafkaAdmin } from '../src/consumers/kafka/admin.ts';
import { kafkaClient } from '../src/consumers/kafka/connection.ts';
import type { OutgoingMessage } from '../src/producers/publish.ts';
import { type DatabaseSettings, openLedgerAdmin } from '../src/sinks/immudb/admin.ts';
import { passwordFromFile } from '../src/sinks/immudb/credentials.ts';
import { boundedHeap, boundedMalloc } from '../scripts/memory-bounds.ts';
import { startStack } from '../stack/start.ts';

/** The figures of one measured run, by name. */
export type Result = Readonly<Record<string, number>>;

/** The variables of one pipeline. */
export type Environment = Readonly<Record<string, string>>;

export type BenchSite = Awaited<ReturnType<typeof openBenchSite>>;

export const run = promisify(execFile);
export const main = new URL('..', import.meta.url).pathname;
export const say = (line: string) => console.error(line);
const quiet = '--disable-warning=ExperimentalWarning';

/** The last line that the process prints, as JSON. Rejects if it fails. */
export const resultOf = async (
  child: ChildProcess,
  onLine: (line: string) => void = () => undefined,
): Promise<Result> => {
  let rest = '';
  let last = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      last = line;
      onLine(line);
    }
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`a measured process ended with ${String(code)}`);
  return JSON.parse(last) as Result;
};

/** `profile`: a folder for a CPU profile of each measured process. */
export const openBenchSite = async ({ profile }: { readonly profile: string | undefined }) => {
  const stack = await startStack({ onProgress: say });
  const folder = mkdtempSync(join(tmpdir(), 'immutrail-bench-'));
  const kafka = kafkaClient({
    brokers: stack.kafka.brokers,
    clientId: 'bench',
    tls: { enabled: false, caFile: null, certFile: null, keyFile: null },
    sasl: { mechanism: 'none', username: null, passwordFile: null, tokenFile: null },
    requestTimeoutMs: 30_000,
  });
  const { host, port, username, passwordFile } = stack.immudb;
  const password = passwordFromFile(passwordFile);
  let made = 0;
  const unique = (what: string) => `${what}${process.pid}n${(made += 1)}`;

  const newTopic = async (what: string, source: Iterable<OutgoingMessage>): Promise<string> => {
    const topic = unique(what);
    const admin = kafkaAdmin(kafka);
    await admin.connect();
    await admin.createTopics({ topic, deadLetterTopic: `${topic}.dlq`, partitions: 8 });
    await admin.close();
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    let messages: Pick<OutgoingMessage, 'key' | 'value'>[] = [];
    const flush = async () => {
      if (messages.length > 0) await producer.send({ topic, acks: -1, messages });
      messages = [];
    };
    for (const { key, value } of source) if (messages.push({ key, value }) === 5000) await flush();
    await flush();
    await producer.disconnect();
    return topic;
  };

  const newDatabase = async (settings: DatabaseSettings): Promise<string> => {
    const admin = await openLedgerAdmin({ host, port, username, password });
    const name = unique('bench');
    await admin.createDatabase(name, settings);
    await admin.close();
    return name;
  };

  const node = (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess => {
    const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    return spawn(process.execPath, [...boundedHeap, ...profiling, quiet, join(main, script), ...args], {
      env: { ...process.env, ...boundedMalloc, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  };

  const environmentOf = (topic: string, id: string): Environment => ({
    IMMUTRAIL_KAFKA_BROKERS: stack.kafka.brokers.join(','),
    IMMUTRAIL_KAFKA_TOPIC: topic,
    IMMUTRAIL_KAFKA_DEAD_LETTER_TOPIC: `${topic}.dlq`,
    IMMUTRAIL_KAFKA_GROUP: id,
    IMMUTRAIL_LEDGER_HOST: host,
    IMMUTRAIL_LEDGER_PORT: String(port),
    IMMUTRAIL_LEDGER_DATABASE: id,
    IMMUTRAIL_LEDGER_USERNAME: username,
    IMMUTRAIL_LEDGER_PASSWORD_FILE: passwordFile,
    IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: join(folder, `${id}.json`),
    IMMUTRAIL_LOG_LEVEL: 'error',
  });

  const immutrail = async (env: Environment, ...args: readonly string[]): Promise<string> => {
    const command = [quiet, join(main, 'src/main.ts'), ...args];
    return (await run(process.execPath, command, { env: { ...process.env, ...env }, maxBuffer: 1 << 24 })).stdout;
  };

  return {
    kafka,
    newTopic,
    /** Bare SetAll: so many events, calls in flight, and events in a transaction, into a database as immudb makes it. */
    setAll: async (
      count: number,
      inFlight: number,
      perTx: number,
      settings: DatabaseSettings = {},
    ): Promise<Result> => {
      const database = await newDatabase(settings);
      const args = [host, String(port), passwordFile, database, ...[count, inFlight, perTx].map(String)];
      return await resultOf(node('bench/setall-process.ts', args));
    },
    /** A ledger of its own for the pipeline over this topic: the environment of immutrail's commands. */
    newLedger: async (topic: string): Promise<Environment> => {
      const env = environmentOf(topic, unique('bench'));
      await immutrail(env, 'init');
      return env;
    },
    /** Ends by itself after so many records. */
    startPipeline: (env: Environment, ...args: readonly string[]): ChildProcess =>
      node('bench/pipeline-process.ts', args, env),
    /** The whole ledger of a pipeline, and every record that Kafka has of it. */
    audit: async (env: Environment): Promise<Result> => {
      const { eventsPerSecond } = JSON.parse(await immutrail(env, 'audit', '--json')) as { eventsPerSecond: number };
      return { eventsPerSecond };
    },
    /** A Go pipeline of ../shared/bench over the same topic. */
    goPipeline: async (binary: string, command: string, topic: string, count: number): Promise<Result> => {
      const args = [command, '--topic', topic, '--events', String(count), '--batch', '1000'];
      const own = { KAFKA: stack.kafka.brokers[0] ?? '', IMMUDB: `${host}:${port}`, IMMUDB_PASSWORD: await password() };
      const { stdout } = await run(binary, args, { env: { ...process.env, ...own }, maxBuffer: 1 << 24 });
      const { events_per_s: eventsPerSecond = 0 } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as {
        events_per_s?: number;
      };
      return { eventsPerSecond };
    },
    folder,
    close: async () => {
      await stack.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
