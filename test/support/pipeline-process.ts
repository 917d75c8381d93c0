import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { heldByParent } from '../../scripts/end-with-parent.ts';
import type { Stack } from '../../stack/stack.ts';
import { typedAt } from './typed.ts';
import { until } from './until.ts';

/** Where the servers are: what of a stack may be shared. */
export type Addresses = {
  readonly kafka: Pick<Stack['kafka'], 'brokers'>;
  readonly immudb: Pick<Stack['immudb'], 'host' | 'port' | 'username' | 'passwordFile'>;
};

/** One `immutrail` command as a process of its own, as an operator runs it. */
export type Running = {
  readonly pid: number;
  readonly url: string;
  /** Everything that it wrote so far (standard output and error), newest last, bounded. */
  output(): string;
  kill(signal?: NodeJS.Signals): void;
  /** Exit code, or null with a signal. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  ready(timeoutMs?: number): Promise<void>;
};

export type Site = {
  readonly topic: string;
  readonly deadLetterTopic: string;
  readonly database: string;
  readonly group: string;
  /** Of its own, gone with the site. */
  readonly folder: string;
  /** The variables that every command of this site gets. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command to its end, with these options of Node. */
  command(
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
    execArgv?: readonly string[],
  ): Promise<{ code: number | null; out: string; err: string }>;
  /** Starts `immutrail run`, with these options of Node. */
  run(env?: Readonly<Record<string, string>>, instance?: string, execArgv?: readonly string[]): Promise<Running>;
  /** What init printed: the hash to pin. */
  readonly genesis: string;
  close(): Promise<void>;
};

const main = new URL('../../src/main.ts', import.meta.url).pathname;
/** What tests start must not outlive them, though they are killed. */
const ending = new URL('../../scripts/ending-with-parent.ts', import.meta.url).pathname;
/** A start is mostly compiling: what one process compiled, the next ones of a run of tests take over. */
const folderOfCompiled = process.env['NODE_COMPILE_CACHE'];
const compileCache = folderOfCompiled === undefined ? {} : { NODE_COMPILE_CACHE: folderOfCompiled };
const maxOutput = 400_000;
let sites = 0;

/** A topic, a database and a group of their own on these servers, made by `immutrail init`. */
export const openSite = async (
  stack: Addresses,
  options: {
    partitions?: number;
    maxMessageBytes?: number;
    init?: boolean;
    env?: Readonly<Record<string, string>>;
    /** What is run; default: the sources, which Node strips of their types first. */
    program?: string;
  } = {},
): Promise<Site> => {
  sites += 1;
  const id = `${Date.now().toString(36)}${process.pid.toString(36)}${sites}`;
  const folder = await mkdtemp(join(tmpdir(), 'immutrail-site-'));
  const topic = `audit.events.${id}`;
  const deadLetterTopic = `${topic}.dlq`;
  const database = `audit${id}`;
  const group = `group-${id}`;
  const running = new Set<ChildProcess>();
  let genesis = '';
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...compileCache,
    NO_COLOR: '1',
    IMMUTRAIL_KAFKA_BROKERS: stack.kafka.brokers.join(','),
    IMMUTRAIL_KAFKA_TOPIC: topic,
    IMMUTRAIL_KAFKA_DEAD_LETTER_TOPIC: deadLetterTopic,
    IMMUTRAIL_KAFKA_GROUP: group,
    IMMUTRAIL_CHECKPOINTS_TOPIC: `${topic}.checkpoints`,
    IMMUTRAIL_LEDGER_HOST: stack.immudb.host,
    IMMUTRAIL_LEDGER_PORT: String(stack.immudb.port),
    IMMUTRAIL_LEDGER_DATABASE: database,
    IMMUTRAIL_LEDGER_USERNAME: stack.immudb.username,
    IMMUTRAIL_LEDGER_PASSWORD_FILE: stack.immudb.passwordFile,
    IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: join(folder, 'trusted.json'),
    // A member that was killed holds its partitions for so long.
    IMMUTRAIL_KAFKA_SESSION_TIMEOUT_MS: '2000',
    IMMUTRAIL_KAFKA_HEARTBEAT_INTERVAL_MS: '400',
    ...options.env,
  };
  const start = (
    args: readonly string[],
    extra: Readonly<Record<string, string>>,
    execArgv: readonly string[] = [],
  ): ChildProcess => {
    const flags = ['--disable-warning=ExperimentalWarning', '--import', ending, ...execArgv];
    const child = spawn(process.execPath, [...flags, options.program ?? main, ...args], {
      env: { ...env, ...extra, ...heldByParent },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    running.add(child);
    void once(child, 'exit').then(() => running.delete(child));
    return child;
  };
  const command: Site['command'] = async (args, extra = {}, execArgv = []) => {
    const child = start(args, extra, execArgv);
    let out = '';
    let err = '';
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, out, err };
  };
  const run: Site['run'] = async (extra = {}, instance = 'trusted', execArgv = []) => {
    const port = await freePort();
    const own = {
      IMMUTRAIL_HTTP_PORT: String(port),
      // Each instance keeps what it trusts in a file of its own.
      IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: join(folder, `${instance}.json`),
      ...(genesis !== '' && { IMMUTRAIL_LEDGER_GENESIS: genesis }),
      ...extra,
    };
    const child = start(['run'], own, execArgv);
    let output = '';
    const keep = (chunk: Buffer) => (output = (output + chunk.toString()).slice(-maxOutput));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    const url = `http://127.0.0.1:${port}`;
    const exited = once(child, 'exit').then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
    let hasExited = false;
    void exited.then(() => (hasExited = true));
    return {
      pid: child.pid ?? -1,
      url,
      output: () => output,
      kill: (signal = 'SIGKILL') => void child.kill(signal),
      exited,
      ready: (timeoutMs = 60_000) =>
        until(
          async () => {
            if (hasExited) throw new Error(`the pipeline ended before it was ready:\n${output}`);
            return (await fetch(`${url}/readyz`).catch(() => null))?.status === 200;
          },
          { timeoutMs, what: 'the pipeline to be ready' },
        ),
    };
  };
  if (options.init ?? true) {
    const size = options.maxMessageBytes === undefined ? [] : ['--max-message-bytes', String(options.maxMessageBytes)];
    const init = ['--json', 'init', '--partitions', String(options.partitions ?? 8), ...size];
    const made = await typedAt({ env })(init);
    if (made.code !== 0) throw new Error(`immutrail init ended with ${String(made.code)}:\n${made.err}${made.out}`);
    genesis = (JSON.parse(made.out) as { genesis: string }).genesis;
  }
  return {
    topic,
    deadLetterTopic,
    database,
    group,
    folder,
    env,
    genesis,
    command,
    run,
    close: async () => {
      for (const child of running) child.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};
