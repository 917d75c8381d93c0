/**
 * `npm run bench`: how fast is the pipeline on this machine, beside bare SetAll and beside the Go pipelines of
 * ../shared/bench, over the same topics, in one run on one stack. Machines are noisy: rounds are interleaved, medians
 * and ratios count. Writes docs/benchmarks.md. Options: --events N, --rounds N, --only a,b,… (names as printed).
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Kafka } from 'kafkajs';
import { kafkaAdmin } from '../src/consumers/kafka/admin.ts';
import { kafkaClient } from '../src/consumers/kafka/connection.ts';
import { tableOf } from '../src/cli/output.ts';
import { startStack } from '../stack/start.ts';
import { openLedgerAdmin } from '../src/sinks/immudb/admin.ts';
import { passwordFromFile } from '../src/sinks/immudb/credentials.ts';
import type { OutgoingMessage } from '../src/producers/publish.ts';
import { benchEvents, repeatingEvents } from './events.ts';
import { median, percentile } from './figures.ts';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '300000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const events = Number(values.events);
const rounds = Number(values.rounds);
const run = promisify(execFile);
const main = new URL('..', import.meta.url).pathname;
const goBench = join(main, '../shared/bench/go');
const say = (line: string) => console.error(line);

type Result = Readonly<Record<string, number>>;
const results = new Map<string, Result[]>();
const note = (name: string, result: Result) => {
  results.set(name, [...(results.get(name) ?? []), result]);
  say(`${name}: ${JSON.stringify(result)}`);
};

const stack = await startStack({ onProgress: say });
const folder = mkdtempSync(join(tmpdir(), 'immutrail-bench-'));
const kafka: Kafka = kafkaClient({
  brokers: stack.kafka.brokers,
  clientId: 'bench',
  tls: { enabled: false, caFile: null, certFile: null, keyFile: null },
  sasl: { mechanism: 'none', username: null, passwordFile: null, tokenFile: null },
  requestTimeoutMs: 30_000,
});
const dayMs = 86_400_000;
let made = 0;
const unique = (what: string) => `${what}${process.pid}n${(made += 1)}`;

const preload = async (topic: string, source: Iterable<OutgoingMessage>): Promise<void> => {
  const admin = kafkaAdmin(kafka);
  await admin.connect();
  await admin.createTopics({ topic, deadLetterTopic: `${topic}.dlq`, partitions: 8 });
  await admin.close();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  let batch: OutgoingMessage[] = [];
  const flush = async () => {
    if (batch.length > 0) await producer.send({ topic, acks: -1, messages: batch.map(toMessage) });
    batch = [];
  };
  for (const event of source) {
    batch.push(event);
    if (batch.length === 5000) await flush();
  }
  await flush();
  await producer.disconnect();
};

const toMessage = ({ key, value }: OutgoingMessage) => ({ key, value });

const node = (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess =>
  spawn(
    process.execPath,
    [...memoryFlags, ...profileFlags, '--disable-warning=ExperimentalWarning', join(main, script), ...args],
    {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
/** As the container and the README start it: bounded memory. */
const memoryFlags = ['--max-old-space-size=128', '--max-semi-space-size=16'];
const profileFlags = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`];

const linesOf = async (child: ChildProcess, onLine: (line: string) => void = () => undefined): Promise<Result> => {
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

const newDatabase = async (): Promise<string> => {
  const admin = await openLedgerAdmin(immudb);
  const name = unique('bench');
  await admin.createDatabase(name, {});
  await admin.close();
  return name;
};
const immudb = {
  host: stack.immudb.host,
  port: stack.immudb.port,
  username: stack.immudb.username,
  password: passwordFromFile(stack.immudb.passwordFile),
};

const setAll = async (name: string, inFlight: number, count = events, perTx = 1000): Promise<void> => {
  const database = await newDatabase();
  const { host, port, passwordFile } = stack.immudb;
  const args = [host, String(port), passwordFile, database, String(count), String(inFlight), String(perTx)];
  note(name, await linesOf(node('bench/setall-process.ts', args)));
};

const pipelineEnv = (topic: string): Record<string, string> => {
  const id = unique('bench');
  return {
    IMMUTRAIL_KAFKA_BROKERS: stack.kafka.brokers.join(','),
    IMMUTRAIL_KAFKA_TOPIC: topic,
    IMMUTRAIL_KAFKA_DEAD_LETTER_TOPIC: `${topic}.dlq`,
    IMMUTRAIL_KAFKA_GROUP: id,
    IMMUTRAIL_LEDGER_HOST: stack.immudb.host,
    IMMUTRAIL_LEDGER_PORT: String(stack.immudb.port),
    IMMUTRAIL_LEDGER_DATABASE: id,
    IMMUTRAIL_LEDGER_USERNAME: stack.immudb.username,
    IMMUTRAIL_LEDGER_PASSWORD_FILE: stack.immudb.passwordFile,
    IMMUTRAIL_LEDGER_TRUSTED_STATE_FILE: join(folder, `${id}.json`),
    IMMUTRAIL_LOG_LEVEL: 'error',
  };
};

const pipeline = async (name: string, topic: string): Promise<Record<string, string>> => {
  const env = pipelineEnv(topic);
  await run(process.execPath, ['--disable-warning=ExperimentalWarning', join(main, 'src/main.ts'), 'init'], {
    env: { ...process.env, ...env },
  });
  note(name, await linesOf(node('bench/pipeline-process.ts', [String(events)], env)));
  return env;
};

/** The whole ledger of a pipeline, and every record that Kafka has of it; servers beside it, as beside the pipeline. */
const audit = async (env: Readonly<Record<string, string>>): Promise<void> => {
  const args = ['--disable-warning=ExperimentalWarning', join(main, 'src/main.ts'), 'audit', '--json'];
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, ...env } });
  const { eventsPerSecond } = JSON.parse(stdout) as { eventsPerSecond: number };
  note('audit', { eventsPerSecond });
};

/** From the broker's acknowledgement to the committed transaction, at 1,000 events a second. */
const latency = async (): Promise<void> => {
  const topic = unique('latency');
  await preload(topic, []);
  const env = pipelineEnv(topic);
  await run(process.execPath, ['--disable-warning=ExperimentalWarning', join(main, 'src/main.ts'), 'init'], {
    env: { ...process.env, ...env },
  });
  const seconds = 20;
  const acked = new Map<string, number>();
  const latencies: number[] = [];
  const child = node('bench/pipeline-process.ts', ['100000000', '--batches'], env);
  const done = linesOf(child, (line) => {
    const { at, spans } = JSON.parse(line) as { at?: number; spans?: [number, number, number][] };
    if (at === undefined) return;
    for (const [partition, first, next] of spans ?? []) {
      for (let offset = first; offset < next; offset += 1) written.set(`${partition}/${offset}`, at);
    }
  });
  const written = new Map<string, number>();
  const producer = kafka.producer();
  await producer.connect();
  const source = benchEvents({
    count: 1000 * seconds,
    perCorrelation: 10,
    sizeBytes: 1000,
    startMs: Date.now(),
    timeSpreadMs: 1000 * seconds,
  });
  const started = performance.now();
  const sends: Promise<void>[] = [];
  for (let tick = 0; tick < seconds * 100; tick += 1) {
    const wait = started + tick * 10 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const messages = Array.from({ length: 10 }, (_, index) => ({
      ...toMessage(source.next().value as OutgoingMessage),
      partition: (tick + index) % 8,
    }));
    sends.push(
      producer.send({ topic, acks: -1, messages }).then((answers) => {
        const at = performance.timeOrigin + performance.now();
        for (const { partition, baseOffset } of answers) {
          const count = messages.filter((message) => message.partition === partition).length;
          for (let index = 0; index < count; index += 1) acked.set(`${partition}/${Number(baseOffset) + index}`, at);
        }
      }),
    );
  }
  await Promise.all(sends);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  child.kill('SIGTERM');
  const { transactions = 0, p50: writeP50 = 0 } = await done;
  await producer.disconnect();
  // The first second is start-up: connections, compilation.
  const warm = [...acked].filter(([, at]) => at > performance.timeOrigin + started + 5000);
  for (const [place, at] of warm) {
    const stored = written.get(place);
    if (stored !== undefined) latencies.push(Math.max(0, stored - at));
  }
  note('latency', {
    events: latencies.length,
    missing: warm.length - latencies.length,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    transactions,
    writeP50,
  });
};

const buildGo = async (): Promise<string | null> => {
  if (!existsSync(goBench)) {
    say('skipped: naive and indexed, since ../shared/bench/go is not there');
    return null;
  }
  const binary = join(folder, 'auditbench');
  try {
    await run('go', ['build', '-o', binary, '.'], { cwd: goBench });
    return binary;
  } catch (error) {
    say(`skipped: naive and indexed, since Go could not build them (${String(error).split('\n')[0] ?? ''})`);
    return null;
  }
};

const goPipeline = async (binary: string, command: 'naive' | 'indexed', topic: string): Promise<void> => {
  const password = await immudb.password();
  const env = {
    ...process.env,
    KAFKA: stack.kafka.brokers[0] ?? '',
    IMMUDB: `${stack.immudb.host}:${stack.immudb.port}`,
    IMMUDB_PASSWORD: password,
  };
  const { stdout } = await run(binary, [command, '--topic', topic, '--events', String(events), '--batch', '1000'], {
    env,
    maxBuffer: 1 << 24,
  });
  const { events_per_s: eventsPerSecond = 0 } = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as {
    events_per_s?: number;
  };
  note(command, { eventsPerSecond });
};

const wants = (name: string) => values.only === undefined || values.only.split(',').includes(name);
const med = (name: string, field = 'eventsPerSecond') =>
  median((results.get(name) ?? []).map((result) => result[field] ?? 0));

const report = (): string => {
  const rows = [...results].map(([name, list]) => {
    const cell = (field: string, digits = 0) =>
      list.some((result) => result[field] !== undefined) ? med(name, field).toFixed(digits) : '';
    const each = list.map((result) => result['eventsPerSecond'] ?? '').join(', ');
    return [
      name,
      cell('eventsPerSecond'),
      each,
      cell('p50', 1),
      cell('p99', 1),
      cell('peakRssMb'),
      cell('cpuUsPerEvent', 1),
      cell('entriesPerTx'),
    ];
  });
  const head = ['', 'events/s', 'each run', 'p50 ms', 'p99 ms', 'peak RSS MB', 'CPU µs/event', 'entries/tx'];
  const ratio = (label: string, a: number, b: number) =>
    a > 0 && b > 0 ? [`ratio ${label}: ${(a / b).toFixed(2)}`] : [];
  const ratios = [
    ...ratio('pipeline/setall1', med('pipeline'), med('setall1')),
    ...ratio('pipeline/setall4', med('pipeline'), med('setall4')),
    ...ratio('pipeline/naive', med('pipeline'), med('naive')),
    ...ratio('pipeline/indexed', med('pipeline'), med('indexed')),
    ...ratio('audit/pipeline', med('audit'), med('pipeline')),
    ...ratio('worst/setall1', med('worst'), med('setall1')),
    ...ratio('repeats/pipeline', med('repeats'), med('pipeline')),
    ...ratio('latency p99/setall-one p50', med('latency', 'p99'), med('setall-one', 'p50')),
  ];
  return `${tableOf(head, rows, [1, 3, 4, 5, 6, 7])}\n\n${ratios.join('\n')}`;
};

const measure = async (): Promise<void> => {
  const go = wants('naive') || wants('indexed') ? await buildGo() : null;
  const shape = {
    count: events,
    perCorrelation: 10,
    sizeBytes: 1000,
    startMs: Date.now() - 60_000,
    timeSpreadMs: 60_000,
  };
  const [topic, worst, repeats] = [unique('stories'), unique('worst'), unique('repeats')];
  say(`preloading ${events} events of 1 KB into each topic`);
  await preload(topic, benchEvents(shape));
  if (wants('worst'))
    await preload(
      worst,
      benchEvents({ ...shape, perCorrelation: 1, startMs: Date.now() - dayMs, timeSpreadMs: dayMs }),
    );
  if (wants('repeats')) await preload(repeats, repeatingEvents(shape));
  for (let round = 1; round <= rounds; round += 1) {
    say(`round ${round} of ${rounds}`);
    if (wants('setall1')) await setAll('setall1', 1);
    if (wants('pipeline')) {
      const env = await pipeline('pipeline', topic);
      if (wants('audit')) await audit(env);
    }
    if (go !== null && wants('naive')) await goPipeline(go, 'naive', topic);
    if (wants('setall4')) await setAll('setall4', 4);
    if (go !== null && wants('indexed')) await goPipeline(go, 'indexed', topic);
    if (wants('worst')) await pipeline('worst', worst);
    if (wants('repeats')) await pipeline('repeats', repeats);
    if (wants('latency')) {
      await setAll('setall-one', 1, 300, 1);
      await latency();
    }
  }
};

try {
  await measure();
  const text = report();
  console.log(text);
  if (values.only === undefined || values.write) {
    const command = `npm run bench -- --events ${events} --rounds ${rounds}`;
    const machine = `${cpus().length} cores (${cpus()[0]?.model ?? ''}), ${Math.round(totalmem() / 2 ** 30)} GiB, servers beside the load`;
    writeFileSync(
      join(main, 'docs/benchmarks.md'),
      `# Benchmarks\n\nMade by \`${command}\` on ${new Date().toISOString().slice(0, 10)}: ${machine}. Medians of ${rounds} interleaved rounds; a single run differs by up to a factor of two, so only the ratios of one run count. What is measured is said in bench/run.ts: 1 KB events, UUIDv7, no compression, one broker; \`setall1\`, \`setall4\`: bare SetAll of 1,000 events with 1 and 4 calls in flight; \`pipeline\`: exactly once, indexed and checked, 10 events per correlation; \`audit\`: \`immutrail audit\` of what the pipeline wrote, compared with Kafka; \`worst\`: each event its own correlation, times over a day; \`repeats\`: half of the events repeat earlier ids; \`naive\`, \`indexed\`: Go pipelines; \`latency\`: from the broker's acknowledgement to the committed transaction at 1,000 events/s, with batch.maxAgeMs 5 and kafka.fetchMaxWaitMs 250; \`setall-one\`: bare SetAll of one event.\n\n\`\`\`\n${text}\n\`\`\`\n`,
    );
  }
} finally {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
}
