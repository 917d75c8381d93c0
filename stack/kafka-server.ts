/** A Kafka cluster of native processes: KRaft, no ZooKeeper, one quorum. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';
import { liveBrokers, whenJoined } from './kafka-probe.ts';
import {
  formatArguments,
  jvmOptions,
  log4j,
  makeSecurity,
  propertiesOf,
  securedAddresses,
  type Broker,
  type Cluster,
} from './kafka-properties.ts';
import type { Server, Stack, StackOptions } from './stack.ts';
import { lastLines, supervisedServer } from './supervised-server.ts';
import type { Supervisor } from './supervised.ts';

export type KafkaOptions = Exclude<StackOptions['kafka'], false | undefined>;
export type KafkaInstallation = { readonly java: string; readonly kafkaLibs: string };
type Host = {
  readonly supervisor: Supervisor;
  readonly installation: KafkaInstallation;
  readonly dir: string;
  readonly signal: AbortSignal | undefined;
};

const loopback = '127.0.0.1';

const makeBrokers = async (dir: string, count: number): Promise<Broker[]> => {
  const ports = await freePorts(count * 4);
  return Array.from({ length: count }, (_, index) => {
    const [plain = 0, secured = 0, internal = 0, controller = 0] = ports.slice(index * 4);
    return {
      id: index + 1,
      dataDir: join(dir, `kafka-${index + 1}`, 'data'),
      listen: loopback,
      host: loopback,
      peer: loopback,
      ports: { plain, secured, internal, controller },
    };
  });
};

const java = ({ installation }: Host): string[] => [...jvmOptions(), '-cp', join(installation.kafkaLibs, '*')];

const format = async (host: Host, dir: string, name: string): Promise<void> => {
  const logFile = join(dir, 'format.log');
  const args = [...java(host), 'kafka.tools.StorageTool', 'format', `@${join(dir, 'format-arguments')}`];
  const tool = await host.supervisor.spawn({ command: host.installation.java, args, logFile });
  const { code, signal } = await tool.exited;
  if (code === 0) return;
  const ending = signal ?? `exit code ${code ?? '?'}`;
  throw new Error(`formatting the storage of ${name}: ${ending}. It said:\n${await lastLines(logFile)}`);
};

const prepareBroker = async (host: Host, cluster: Cluster, broker: Broker): Promise<Server> => {
  const name = `kafka-${broker.id}`;
  const dir = join(host.dir, name);
  const file = (one: string): string => join(dir, one);
  const write = (one: string, text: string): Promise<void> => writeFile(file(one), text, { mode: 0o600 });
  await mkdir(dir);
  await write('log4j2.yaml', log4j(file('server.log')));
  await write('server.properties', propertiesOf(cluster, broker, file('keystore.pem')));
  await write('keystore.pem', cluster.security?.keystore ?? '');
  await write('format-arguments', formatArguments(cluster, file('server.properties')));
  await format(host, dir, name);
  const logging = `-Dlog4j2.configurationFile=${file('log4j2.yaml')}`;
  const spec = {
    name,
    command: host.installation.java,
    args: [logging, ...java(host), 'kafka.Kafka', file('server.properties')],
    logFile: file('server.log'),
    answers: async () => (await liveBrokers(broker)) > 0,
  };
  return supervisedServer(host.supervisor, spec, host.signal);
};

export const startKafka = async (
  supervisor: Supervisor,
  installation: KafkaInstallation,
  dir: string,
  options: KafkaOptions,
  signal?: AbortSignal,
): Promise<Stack['kafka']> => {
  const cluster: Cluster = {
    brokers: await makeBrokers(dir, options.brokers ?? 1),
    clusterId: randomBytes(16).toString('base64url').replace(/^-/, 'A'), // an argument may not begin with a hyphen
    security: options.secured ? await makeSecurity(dir, loopback) : undefined,
    properties: options.properties ?? {},
  };
  const host: Host = { supervisor, installation, dir, signal };
  const servers = await Promise.all(cluster.brokers.map((broker) => prepareBroker(host, cluster, broker)));
  await Promise.all(servers.map((server) => server.start()));
  await whenJoined(cluster.brokers, signal);
  const brokers = cluster.brokers.map((broker) => `${broker.host}:${broker.ports.plain}`);
  return { brokers, servers, ...securedAddresses(cluster) };
};
