/** What the files of a Kafka broker say: server.properties, log4j2.yaml, and the secured listener's certificate. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAuthority } from './certificates.ts';
import type { Stack } from './stack.ts';

export type Security = {
  /** PEM: the listener's private key and certificate. */
  readonly keystore: string;
  readonly caFile: string;
  readonly username: string;
  readonly password: string;
  readonly passwordFile: string;
};
export type Broker = {
  readonly id: number;
  /** As the broker itself sees it. */
  readonly dataDir: string;
  /** The address it listens on, the host that clients reach it at, and the one that the other brokers do. */
  readonly listen: string;
  readonly host: string;
  readonly peer: string;
  readonly ports: {
    readonly plain: number;
    readonly secured: number;
    readonly internal: number;
    readonly controller: number;
  };
};

const jaas = (module: string, settings: Readonly<Record<string, string>>): string =>
  `${module} required ${Object.entries(settings)
    .map(([key, value]) => `${key}="${value}"`)
    .join(' ')};`;

export const makeSecurity = async (dir: string, host: string): Promise<Security> => {
  const authority = makeAuthority('immutrail test CA');
  const server = authority.issue('kafka', [...new Set(['localhost', '127.0.0.1', host])]);
  const files = { caFile: join(dir, 'kafka-ca.pem'), passwordFile: join(dir, 'kafka-password') };
  const password = randomBytes(18).toString('hex');
  await writeFile(files.caFile, authority.certificate);
  await writeFile(files.passwordFile, password, { mode: 0o600 });
  return { ...files, keystore: server.key + server.certificate, username: 'immutrail', password };
};

/** One listener with every mechanism. OAUTHBEARER takes unsigned tokens: good for tests of the client, nothing else. */
const securedProperties = ({ username, password }: Security, keystoreFile: string): Record<string, string> => {
  const sasl = 'listener.name.secured';
  const scram = jaas('org.apache.kafka.common.security.scram.ScramLoginModule', {});
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystoreFile,
    [`${sasl}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
    [`${sasl}.plain.sasl.jaas.config`]: jaas('org.apache.kafka.common.security.plain.PlainLoginModule', {
      [`user_${username}`]: password,
    }),
    [`${sasl}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${sasl}.scram-sha-512.sasl.jaas.config`]: scram,
    [`${sasl}.oauthbearer.sasl.jaas.config`]: jaas(
      'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule',
      {
        unsecuredLoginStringClaim_sub: username,
      },
    ),
  };
};

const replication = (brokers: number): Record<string, string> => {
  const factor = String(Math.min(3, brokers));
  const inSync = String(brokers >= 3 ? 2 : 1);
  return {
    'default.replication.factor': factor,
    'offsets.topic.replication.factor': factor,
    'offsets.topic.num.partitions': '10',
    'transaction.state.log.replication.factor': factor,
    'transaction.state.log.min.isr': inSync,
    'transaction.state.log.num.partitions': '10',
    'share.coordinator.state.topic.replication.factor': factor,
    'share.coordinator.state.topic.min.isr': inSync,
    'share.coordinator.state.topic.num.partitions': '10',
  };
};

/** With fewer than three brokers the first is the only controller: then the others can be killed without harm. */
const isController = (broker: Broker, brokers: readonly Broker[]): boolean =>
  brokers.length >= 3 ? broker.id <= 3 : broker.id === 1;

/** TLS clients may not ask for an IP address by name (RFC 6066). */
const nameOf = (host: string): string => (host === '127.0.0.1' ? 'localhost' : host);

const listenersOf = ({ listen, host, peer, ports }: Broker, isControllerToo: boolean, isSecured: boolean) => {
  const open = [
    { name: 'PLAINTEXT', port: ports.plain, host },
    { name: 'INTERNAL', port: ports.internal, host: peer },
    ...(isSecured ? [{ name: 'SECURED', port: ports.secured, host: nameOf(host) }] : []),
  ];
  const all = [...open, ...(isControllerToo ? [{ name: 'CONTROLLER', port: ports.controller, host: peer }] : [])];
  return {
    listeners: all.map(({ name, port }) => `${name}://${listen}:${port}`).join(','),
    'advertised.listeners': open.map((one) => `${one.name}://${one.host}:${one.port}`).join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'INTERNAL',
  };
};

export type Cluster = {
  readonly brokers: readonly Broker[];
  readonly clusterId: string;
  readonly security: Security | undefined;
  /** Properties of the caller's own; they win. */
  readonly properties: Readonly<Record<string, string>>;
};

/** The text of server.properties. `keystoreFile` is where this broker finds `security.keystore`. */
export const propertiesOf = (
  { brokers, security, ...cluster }: Cluster,
  broker: Broker,
  keystoreFile: string,
): string => {
  const isControllerToo = isController(broker, brokers);
  const voters = brokers.filter((one) => isController(one, brokers));
  const properties = {
    'process.roles': isControllerToo ? 'broker,controller' : 'broker',
    'node.id': String(broker.id),
    'controller.quorum.voters': voters.map(({ id, peer, ports }) => `${id}@${peer}:${ports.controller}`).join(','),
    ...listenersOf(broker, isControllerToo, security !== undefined),
    'log.dirs': broker.dataDir,
    ...replication(brokers.length),
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.segment.bytes': String(64 * 1024 * 1024),
    ...(security ? securedProperties(security, keystoreFile) : {}),
    ...cluster.properties,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
};

/**
 * The arguments of kafka.tools.StorageTool, one a line. They hold a password: the tool reads them from a file
 * (`@file`), where the list of processes cannot show it.
 */
export const formatArguments = ({ clusterId, security }: Cluster, propertiesFile: string): string => {
  const args = ['--ignore-formatted', '-t', clusterId, '-c', propertiesFile];
  for (const mechanism of security ? ['SCRAM-SHA-256', 'SCRAM-SHA-512'] : [])
    args.push('--add-scram', `${mechanism}=[name=${security?.username ?? ''},password=${security?.password ?? ''}]`);
  return args.join('\n');
};

/** What a development machine needs: a small heap, quick start. `IMMUTRAIL_KAFKA_JVM` replaces it, for the bench. */
export const jvmOptions = (): string[] =>
  (process.env['IMMUTRAIL_KAFKA_JVM'] ?? '-Xmx512m -Xms128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1').split(' ');

/** What a cluster tells of its secured listener. */
export const securedAddresses = ({ brokers, security }: Cluster): Pick<Stack['kafka'], 'secured'> =>
  security
    ? {
        secured: {
          brokers: brokers.map(({ host, ports }) => `${nameOf(host)}:${ports.secured}`),
          caFile: security.caFile,
          username: security.username,
          passwordFile: security.passwordFile,
        },
      }
    : {};

/** log4j2.yaml: to that file, or to standard output. */
export const log4j = (file?: string): string => `Configuration:
  Appenders:
    ${file === undefined ? 'Console' : 'File'}:
      name: out${file === undefined ? '' : `\n      fileName: ${file}`}
      PatternLayout:
        pattern: "%d %p %m (%c)%n%ex"
  Loggers:
    Root:
      level: info
      AppenderRef:
        ref: out
`;
