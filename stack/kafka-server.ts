/** A Kafka cluster of native processes: KRaft, no ZooKeeper, one quorum. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from './free-ports.ts';
import { host, log4j, makeSecurity, propertiesOf, type Broker, type Security } from './kafka-properties.ts';
import type { Server, Stack, StackOptions } from './stack.ts';
import { lastLines, supervisedServer } from './supervised-server.ts';
import type { Supervisor } from './supervised.ts';

type KafkaOptions = Exclude<StackOptions['kafka'], false | undefined>;
export type KafkaInstallation = { readonly java: string; readonly kafkaLibs: string };

/** What a development machine needs: a small heap, quick start. `IMMUTRAIL_KAFKA_JVM` replaces it, for the bench. */
const jvmOptions = (): string[] =>
  (process.env['IMMUTRAIL_KAFKA_JVM'] ?? '-Xmx512m -Xms128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1').split(' ');

/**
 * Asks for the cluster's metadata (Metadata request, version 1, of no topic) and gives the number of live brokers.
 * Rejects when nobody answers.
 */
const liveBrokers = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host }).setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    let answer = Buffer.alloc(0);
    // size, api key 3, version 1, correlation id 1, no client id, no topics
    socket.on('connect', () => socket.write(Buffer.from('0000000e0003000100000001ffff00000000', 'hex')));
    socket.on('data', (bytes) => {
      answer = Buffer.concat([answer, bytes]);
      if (answer.length < 12) return;
      resolve(answer.readInt32BE(8)); // after its size and the correlation id: the number of brokers
      socket.destroy();
    });
    socket.on('error', reject).on('close', () => reject(new Error('closed without an answer')));
  });

type Cluster = {
  readonly supervisor: Supervisor;
  readonly installation: KafkaInstallation;
  readonly brokers: readonly Broker[];
  readonly clusterId: string;
  readonly security: Security | undefined;
  readonly properties: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
};

const format = async (cluster: Cluster, broker: Broker): Promise<void> => {
  const { supervisor, installation, clusterId, security } = cluster;
  const args = ['-t', clusterId, '-c', join(broker.dir, 'server.properties')];
  if (security) {
    for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512'])
      args.push('--add-scram', `${mechanism}=[name=${security.username},password=${security.password}]`);
  }
  // The arguments hold a password: the tool reads them from a file, where the list of processes cannot show it.
  const argsFile = join(broker.dir, 'format-arguments');
  const logFile = join(broker.dir, 'format.log');
  await writeFile(argsFile, args.join('\n'), { mode: 0o600 });
  const tool = await supervisor.spawn({
    command: installation.java,
    args: [
      ...jvmOptions(),
      '-cp',
      join(installation.kafkaLibs, '*'),
      'kafka.tools.StorageTool',
      'format',
      `@${argsFile}`,
    ],
    logFile,
  });
  const { code, signal } = await tool.exited;
  if (code === 0) return;
  const ending = signal ?? `exit code ${code ?? '?'}`;
  throw new Error(
    `formatting the storage of Kafka broker ${broker.id}: ${ending}. It said:\n${await lastLines(logFile)}`,
  );
};

const makeBrokers = async (dir: string, count: number): Promise<Broker[]> => {
  const ports = await freePorts(count * 3);
  return Array.from({ length: count }, (_, index) => {
    const [plain = 0, controller = 0, sasl = 0] = ports.slice(index * 3);
    return { id: index + 1, dir: join(dir, `kafka-${index + 1}`), ports: { plain, controller, sasl } };
  });
};

const prepareBroker = async (cluster: Cluster, broker: Broker): Promise<Server> => {
  const { supervisor, installation, security, signal } = cluster;
  const properties = join(broker.dir, 'server.properties');
  await mkdir(broker.dir);
  await writeFile(join(broker.dir, 'log4j2.yaml'), log4j(broker.dir));
  await writeFile(properties, propertiesOf(broker, cluster.brokers, security, cluster.properties), { mode: 0o600 });
  await format(cluster, broker);
  const logging = `-Dlog4j2.configurationFile=${join(broker.dir, 'log4j2.yaml')}`;
  const spec = {
    name: `kafka-${broker.id}`,
    command: installation.java,
    args: [...jvmOptions(), logging, '-cp', join(installation.kafkaLibs, '*'), 'kafka.Kafka', properties],
    logFile: join(broker.dir, 'server.log'),
    answers: async () => (await liveBrokers(broker.ports.plain)) > 0,
  };
  return supervisedServer(supervisor, spec, signal);
};

/** Every broker answers by now; resolves when each of them knows all the others. */
const whenJoined = async (brokers: readonly Broker[], signal?: AbortSignal): Promise<void> => {
  const deadline = AbortSignal.any([AbortSignal.timeout(180_000), ...(signal ? [signal] : [])]);
  for (const { ports } of brokers)
    while ((await liveBrokers(ports.plain)) < brokers.length) await sleep(100, undefined, { signal: deadline });
};

export const startKafka = async (
  supervisor: Supervisor,
  installation: KafkaInstallation,
  dir: string,
  options: KafkaOptions,
  signal?: AbortSignal,
): Promise<Stack['kafka']> => {
  const brokers = await makeBrokers(dir, options.brokers ?? 1);
  const security = options.secured ? await makeSecurity(dir) : undefined;
  const clusterId = randomBytes(16).toString('base64url');
  const cluster = {
    supervisor,
    installation,
    brokers,
    clusterId,
    security,
    properties: options.properties ?? {},
    signal,
  };
  const servers = await Promise.all(brokers.map((broker) => prepareBroker(cluster, broker)));
  await Promise.all(servers.map((server) => server.start()));
  await whenJoined(brokers, signal);
  const secured = security && {
    brokers: brokers.map(({ ports }) => `localhost:${ports.sasl}`),
    caFile: security.caFile,
    username: security.username,
    passwordFile: security.passwordFile,
  };
  return { brokers: brokers.map(({ ports }) => `${host}:${ports.plain}`), servers, ...(secured && { secured }) };
};
