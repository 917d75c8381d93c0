/** Kafka, immudb, registry and toxiproxy in containers: the same properties, flags and secrets as the native ones. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startContainer, type ContainerHost } from './docker-container.ts';
import { kafkaImage, ownImage } from './docker-images.ts';
import { freePorts } from './free-ports.ts';
import { isAnswering } from './http-server.ts';
import { channelCredentials, makeImmudbSecurity, type ImmudbOptions } from './immudb-security.ts';
import { immudbAnswers, quietFlags } from './immudb-server.ts';
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
import type { KafkaOptions } from './kafka-server.ts';
import type { Server, Stack } from './stack.ts';

export type DockerHost = ContainerHost & {
  /** Where this process keeps certificates and passwords of the stack. */
  readonly dir: string;
  /** The host at which published ports are reached. */
  readonly host: string;
  readonly onProgress: ((step: string) => void) | undefined;
};

const inside = '/etc/immutrail';

const makeBroker = async (id: number, host: string): Promise<Broker> => {
  const [plain = 0, secured = 0] = await freePorts(2);
  const ports = { plain, secured, internal: 9092, controller: 9093 };
  return { id, dataDir: '/tmp/kafka-data', listen: '0.0.0.0', host, peer: `kafka-${id}`, ports };
};

const startBroker = (docker: DockerHost, cluster: Cluster, broker: Broker): Promise<Server> => {
  const java = `java ${jvmOptions().join(' ')} -Dlog4j2.configurationFile=${inside}/log4j2.yaml -cp '/opt/kafka/libs/*'`;
  const format = `${java} kafka.tools.StorageTool format @${inside}/format-arguments`;
  return startContainer(docker, {
    name: `kafka-${broker.id}`,
    image: kafkaImage(),
    ports: [broker.ports.plain, broker.ports.secured],
    entrypoint: ['/bin/sh', '-c', `${format} && exec ${java} kafka.Kafka ${inside}/server.properties`],
    files: {
      [`${inside}/server.properties`]: propertiesOf(cluster, broker, `${inside}/keystore.pem`),
      [`${inside}/keystore.pem`]: cluster.security?.keystore ?? '',
      [`${inside}/format-arguments`]: formatArguments(cluster, `${inside}/server.properties`),
      [`${inside}/log4j2.yaml`]: log4j(),
    },
    answers: async () => (await liveBrokers(broker)) > 0,
  });
};

export const startDockerKafka = async (docker: DockerHost, options: KafkaOptions): Promise<Stack['kafka']> => {
  const ids = Array.from({ length: options.brokers ?? 1 }, (_, index) => index + 1);
  const cluster: Cluster = {
    brokers: await Promise.all(ids.map((id) => makeBroker(id, docker.host))),
    clusterId: randomBytes(16).toString('base64url').replace(/^-/, 'A'),
    security: options.secured ? await makeSecurity(docker.dir, docker.host) : undefined,
    properties: options.properties ?? {},
  };
  const servers = await Promise.all(cluster.brokers.map((broker) => startBroker(docker, cluster, broker)));
  await whenJoined(cluster.brokers, docker.signal);
  const brokers = cluster.brokers.map(({ host, ports }) => `${host}:${ports.plain}`);
  return { brokers, servers, ...securedAddresses(cluster) };
};

export const startDockerImmudb = async (docker: DockerHost, options: ImmudbOptions): Promise<Stack['immudb']> => {
  const dir = join(docker.dir, 'immudb');
  await mkdir(dir);
  const [port = 0, metricsPort = 0] = await freePorts(2);
  const host = options.tls && docker.host === '127.0.0.1' ? 'localhost' : docker.host;
  const security = await makeImmudbSecurity(dir, host, options);
  const channel = await channelCredentials(security.client.tls);
  const texts = security.serverFiles.map(async (name) => [join(inside, name), await readFile(join(dir, name), 'utf8')]);
  const server = await startContainer(docker, {
    name: 'immudb',
    image: await ownImage('immudb', docker.onProgress),
    ports: [
      [3322, port],
      [9497, metricsPort],
    ],
    command: [...quietFlags, ...security.flags(inside), ...(options.flags ?? [])],
    env: { IMMUDB_ADMIN_PASSWORD: security.password },
    files: Object.fromEntries(await Promise.all(texts)) as Record<string, string>,
    answers: () => immudbAnswers(`${host}:${port}`, channel),
  });
  const metricsUrl = `${options.tls ? 'https' : 'http'}://${host}:${metricsPort}/metrics`;
  return { host, port, metricsUrl, dataDir: undefined, server, ...security.client };
};

export const startDockerRegistry = async (docker: DockerHost): Promise<NonNullable<Stack['registry']>> => {
  const [port = 0] = await freePorts(1);
  const url = `http://${docker.host}:${port}`;
  const server = await startContainer(docker, {
    name: 'registry',
    image: await ownImage('registry', docker.onProgress),
    ports: [[8081, port]],
    answers: () => isAnswering(`${url}/subjects`),
  });
  return { url, server };
};

export const startDockerToxiproxy = async (
  docker: DockerHost,
): Promise<Pick<NonNullable<Stack['toxiproxy']>, 'url' | 'server' | 'ports'>> => {
  const [port = 0, ...ports] = await freePorts(9);
  const url = `http://${docker.host}:${port}`;
  const server = await startContainer(docker, {
    name: 'toxiproxy',
    image: await ownImage('toxiproxy', docker.onProgress),
    ports: [[8474, port], ...ports],
    answers: () => isAnswering(`${url}/version`),
  });
  return { url, server, ports };
};
