/**
 * Other people's Kafka clients behind one interface: kcat (librdkafka), the Java client (Kafka's console producer, and
 * a small program for what that cannot do) and franz-go. A client whose tools this machine does not have is `missing`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildGo } from '../../stack/build-tools.ts';
import { install } from '../../stack/install.ts';
import { missingTools } from '../../stack/prerequisites.ts';
import type { Addresses } from './pipeline-process.ts';

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

/** Keys and values without tabs and line feeds, for a topic of one partition. */
export type ForeignBatch = {
  readonly topic: string;
  readonly codec: (typeof codecs)[number];
  /** Of every record; value null is none. */
  readonly headers?: readonly (readonly [name: string, value: string | null])[];
  readonly records: readonly { readonly key: string; readonly value: string }[];
};

/** Two transactions of one transactional id, the second of which is committed. */
export type ForeignTransactions = Pick<ForeignBatch, 'topic' | 'codec'> & {
  readonly id: string;
  readonly aborted: ForeignBatch['records'];
  readonly committed: ForeignBatch['records'];
};

export type ForeignProducer = {
  readonly name: string;
  /** Resolves when the broker has taken every record. */
  send(stack: Addresses, batch: ForeignBatch): Promise<void>;
  /** Resolves when both have ended; the broker has then taken the records of both. */
  transact(stack: Addresses, transactions: ForeignTransactions): Promise<void>;
};

/** What may be absent, to be skipped aloud. */
export type Perhaps<T> = T & { readonly isMissing: boolean };

/** Runs a program to its end and resolves with what it printed. Rejects with what it said when it fails. */
const output = async (command: string, args: readonly string[], input: string): Promise<string> => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.on('error', () => undefined); // it ended before it had read all: its exit code tells
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${said}`);
  return out;
};

const brokersOf = (stack: Addresses): string => stack.kafka.brokers.join(',');
const linesOf = ({ records }: Pick<ForeignBatch, 'records'>): string =>
  records.map(({ key, value }) => `${key}\t${value}\n`).join('');
const hasCommand = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const kcatArgs = (stack: Addresses, { topic, codec, headers = [] }: ForeignBatch): string[] => [
  ...['-P', '-b', brokersOf(stack), '-t', topic, '-z', codec, '-K', '\t'],
  ...headers.flatMap(([name, value]) => ['-H', value === null ? name : `${name}=${value}`]),
];

const inTransaction = (stack: Addresses, transactions: ForeignTransactions): string[] => [
  ...kcatArgs(stack, { ...transactions, records: [] }),
  ...['-X', `transactional.id=${transactions.id}`],
];

/** kcat commits when its input ends. To leave a transaction it has to be killed in it: the next of its id aborts it. */
const killInTransaction = async (stack: Addresses, transactions: ForeignTransactions): Promise<void> => {
  const records = transactions.aborted;
  const child = spawn('kcat', [...inTransaction(stack, transactions), '-vv'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.write(linesOf({ records }));
  while (said.split('Message delivered').length <= records.length) {
    if (child.exitCode !== null) throw new Error(`kcat ended in its transaction with ${child.exitCode}: ${said}`);
    await sleep(50);
    child.stdin.write(linesOf({ records: records.slice(0, 1) })); // it sends what it has when more comes
  }
  child.kill('SIGKILL');
  await once(child, 'close');
};

export const kcat: Perhaps<ForeignProducer> = {
  name: 'kcat (librdkafka)',
  isMissing: !hasCommand('kcat', '-V'),
  send: async (stack, batch) => {
    await output('kcat', kcatArgs(stack, batch), linesOf(batch));
  },
  transact: async (stack, transactions) => {
    await killInTransaction(stack, transactions);
    await output('kcat', inTransaction(stack, transactions), linesOf({ records: transactions.committed }));
  },
};

const hasStackTools = (await missingTools()).length === 0;
const foreign = new URL('../foreign/', import.meta.url).pathname;
const null_ = 'NULL';

const java = async (args: readonly string[], input: string): Promise<string> => {
  const { java: command, kafkaLibs } = await install();
  const jvm = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dlog4j2.level=ERROR', '-cp', join(kafkaLibs, '*')];
  return output(command, [...jvm, ...args], input);
};

const consoleArgs = (stack: Addresses, { topic, codec }: ForeignBatch): string[] => [
  ...['org.apache.kafka.tools.ConsoleProducer', '--bootstrap-server', brokersOf(stack), '--topic', topic],
  ...['--compression-codec', codec, '--reader-property', 'parse.key=true'],
  ...['--reader-property', 'parse.headers=true', '--reader-property', `null.marker=${null_}`],
];

/** Needs a JDK, since one program is run from its source. */
export const javaClient: Perhaps<ForeignProducer> = {
  name: 'the Java client (console producer)',
  isMissing: !hasStackTools || !hasCommand('java', '--describe-module', 'jdk.compiler'),
  send: async (stack, batch) => {
    const headers = (batch.headers ?? []).map(([name, value]) => `${name}:${value ?? null_}`).join(',');
    const lines = batch.records.map(({ key, value }) => `${headers === '' ? null_ : headers}\t${key}\t${value}\n`);
    await java(consoleArgs(stack, batch), lines.join(''));
  },
  transact: async (stack, { topic, codec, id, aborted, committed }) => {
    const args = [join(foreign, 'Transactions.java'), brokersOf(stack), topic, codec, id];
    await java(args, `${linesOf({ records: aborted })}\n${linesOf({ records: committed })}`);
  },
};

let built: Promise<string> | undefined;

/** The program of test/foreign, compiled once and kept with what the stack installs. */
const foreignProgram = (): Promise<string> => {
  const program = new URL('../../.stack/foreign/foreign', import.meta.url).pathname;
  built ??= buildGo({ module: foreign, output: program, packages: ['.'] }).then(() => program);
  return built;
};

type Sent = { readonly offset: number; readonly value: string };

const produceInGo = async (stack: Addresses, batch: ForeignBatch, more: readonly string[]): Promise<Sent[]> => {
  const lines = batch.records.map((record) => JSON.stringify({ ...record, headers: batch.headers ?? [] }));
  const args = ['produce', '-brokers', brokersOf(stack), '-topic', batch.topic, '-codec', batch.codec, ...more];
  return jsonLines<Sent>(await output(await foreignProgram(), args, lines.join('\n')));
};

const jsonLines = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);

export type Seen = {
  readonly offset: number;
  readonly key: string;
  readonly codec: ForeignBatch['codec'];
  readonly transactional: boolean;
  /** The marker that ends a transaction. */
  readonly control: boolean;
};

type GoClients = ForeignProducer & {
  /** JSON events as Avro with the newest schema of the subject, framed; resolves with the bytes of each value. */
  sendAvro(stack: Addresses, batch: ForeignBatch, registry: { url: string; subject: string }): Promise<Buffer[]>;
  /** Everything on a topic of one partition, as franz-go sees it. */
  look(stack: Addresses, topic: string): Promise<Seen[]>;
  /** Values that immudb's own SDK proved, against the trusted state in the folder, which it moves on. */
  read(stack: Addresses, database: string, keys: readonly string[], state: string): Promise<Buffer[]>;
};

export const goClients: Perhaps<GoClients> = {
  name: 'franz-go',
  isMissing: !hasStackTools,
  send: async (stack, batch) => {
    await produceInGo(stack, batch, []);
  },
  transact: async (stack, { topic, codec, id, aborted, committed }) => {
    await produceInGo(stack, { topic, codec, records: aborted }, ['-transaction', 'abort', '-id', id]);
    await produceInGo(stack, { topic, codec, records: committed }, ['-transaction', 'commit', '-id', id]);
  },
  sendAvro: async (stack, batch, { url, subject }) => {
    const sent = await produceInGo(stack, batch, ['-registry', url, '-subject', subject]);
    return sent.map(({ value }) => Buffer.from(value, 'base64'));
  },
  look: async (stack, topic) =>
    jsonLines(await output(await foreignProgram(), ['look', '-brokers', brokersOf(stack), '-topic', topic], '')),
  read: async ({ immudb }, database, keys, state) => {
    const server = ['-host', immudb.host, '-port', String(immudb.port), '-user', immudb.username];
    const args = ['read', ...server, '-password-file', immudb.passwordFile, '-database', database, '-state', state];
    const lines = jsonLines<{ value: string }>(await output(await foreignProgram(), args, keys.join('\n')));
    return lines.map(({ value }) => Buffer.from(value, 'base64'));
  },
};
