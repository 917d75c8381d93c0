/** What the files of a Kafka broker say: server.properties, log4j2.yaml, and the secured listener's certificate. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAuthority } from './certificates.ts';

export const host = '127.0.0.1';

export type Security = {
  readonly keystore: string;
  readonly caFile: string;
  readonly username: string;
  readonly password: string;
  readonly passwordFile: string;
};
export type Broker = {
  readonly id: number;
  readonly dir: string;
  readonly ports: { readonly plain: number; readonly controller: number; readonly sasl: number };
};

const jaas = (module: string, settings: Readonly<Record<string, string>>): string =>
  `${module} required ${Object.entries(settings)
    .map(([key, value]) => `${key}="${value}"`)
    .join(' ')};`;

export const makeSecurity = async (dir: string): Promise<Security> => {
  const authority = makeAuthority('immutrail test CA');
  const server = authority.issue('kafka', ['localhost', host]);
  const files = {
    keystore: join(dir, 'kafka.pem'),
    caFile: join(dir, 'kafka-ca.pem'),
    passwordFile: join(dir, 'kafka-password'),
  };
  const password = randomBytes(18).toString('hex');
  await writeFile(files.keystore, server.key + server.certificate, { mode: 0o600 });
  await writeFile(files.caFile, authority.certificate);
  await writeFile(files.passwordFile, password, { mode: 0o600 });
  return { ...files, username: 'immutrail', password };
};

/** One listener with every mechanism. OAUTHBEARER takes unsigned tokens: good for tests of the client, nothing else. */
const securedProperties = ({ keystore, username, password }: Security): Record<string, string> => {
  const sasl = 'listener.name.secured';
  const scram = jaas('org.apache.kafka.common.security.scram.ScramLoginModule', {});
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keystore,
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

const listenersOf = ({ ports }: Broker, isControllerToo: boolean, isSecured: boolean) => {
  const open = [`PLAINTEXT://${host}:${ports.plain}`, ...(isSecured ? [`SECURED://${host}:${ports.sasl}`] : [])];
  return {
    listeners: [...open, ...(isControllerToo ? [`CONTROLLER://${host}:${ports.controller}`] : [])].join(','),
    'advertised.listeners': open.join(','),
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
  };
};

export const propertiesOf = (
  broker: Broker,
  brokers: readonly Broker[],
  security: Security | undefined,
  own: Readonly<Record<string, string>>,
): string => {
  const isControllerToo = isController(broker, brokers);
  const voters = brokers.filter((one) => isController(one, brokers));
  const properties = {
    'process.roles': isControllerToo ? 'broker,controller' : 'broker',
    'node.id': String(broker.id),
    'controller.quorum.voters': voters.map(({ id, ports }) => `${id}@${host}:${ports.controller}`).join(','),
    ...listenersOf(broker, isControllerToo, security !== undefined),
    'log.dirs': join(broker.dir, 'data'),
    ...replication(brokers.length),
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.segment.bytes': String(64 * 1024 * 1024),
    ...(security ? securedProperties(security) : {}),
    ...own,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
};

export const log4j = (dir: string): string => `Configuration:
  Appenders:
    File:
      name: file
      fileName: ${join(dir, 'server.log')}
      PatternLayout:
        pattern: "%d %p %m (%c)%n%ex"
  Loggers:
    Root:
      level: info
      AppenderRef:
        ref: file
`;
