import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Kafka, logLevel, type LogEntry, type RetryOptions, type SASLOptions } from 'kafkajs';
import { PipelineError } from '../../errors.ts';
import { registerCodecs } from './codecs.ts';
import { oauthBearer, type TokenEndpoint } from './oauth.ts';
import { applyKafkaPatches } from './patches.ts';

/** The group `kafka` of the configuration fits. Null: not set. Files are read anew at each connection, so that what rotates does so without a restart. */
export type KafkaConnectionOptions = {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly tls: KafkaTls;
  readonly sasl: KafkaSasl;
  /** Longest wait for one answer of a broker. */
  readonly requestTimeoutMs: number;
  /** Longest wait for a connection, and for a login. Default 10 s: a TLS handshake with a busy broker takes seconds. */
  readonly connectTimeoutMs?: number;
  readonly retry?: RetryOptions;
};

export type KafkaTls = {
  readonly enabled: boolean;
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
};

export type KafkaSasl = {
  readonly mechanism: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512' | 'oauthbearer';
  readonly username: string | null;
  readonly passwordFile: string | null;
  /** A token from a file, for oauthbearer; or, if null, from `tokenEndpoint`. */
  readonly tokenFile: string | null;
  readonly tokenEndpoint?: TokenEndpoint | null;
};

/** Fields hold no payload and no secret. */
export type KafkaLog = (level: 'warn' | 'debug', message: string, fields: Readonly<Record<string, unknown>>) => void;

/** Eight tries over some twenty seconds, then the error is ours to handle. */
const defaultRetry: RetryOptions = { retries: 8, initialRetryTime: 300, maxRetryTime: 5000 };
const defaultConnectTimeoutMs = 10_000;

/**
 * A kafkajs client, patched and with every codec. Opens no connection. Throws CONFIG_INVALID if a file that the options
 * name cannot be read.
 */
export const kafkaClient = (options: KafkaConnectionOptions, log: KafkaLog = () => undefined): Kafka => {
  applyKafkaPatches();
  registerCodecs();
  const connectTimeoutMs = options.connectTimeoutMs ?? defaultConnectTimeoutMs;
  return new Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    ...(options.tls.enabled && { ssl: tlsOf(options.tls) }),
    ...(options.sasl.mechanism !== 'none' && { sasl: saslOf(options.sasl) }),
    connectionTimeout: connectTimeoutMs,
    authenticationTimeout: connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    enforceRequestTimeout: true,
    retry: options.retry ?? defaultRetry,
    // Never its debug level: that logs what brokers answer, logins included.
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => bridge(log, entry),
  });
};

const readAnew = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new PipelineError('CONFIG_INVALID', `reading ${file} for the connection to Kafka`, { cause: error });
  }
};

/** kafkajs copies the options with Object.assign for each socket, and so calls the getters each time. */
const tlsOf = ({ caFile, certFile, keyFile }: KafkaTls): ConnectionOptions => {
  const files = Object.entries({ ca: caFile, cert: certFile, key: keyFile }).filter(([, file]) => file !== null);
  const options: ConnectionOptions = { rejectUnauthorized: true };
  for (const [name, file] of files as [string, string][]) {
    readAnew(file);
    Object.defineProperty(options, name, { enumerable: true, get: () => readAnew(file) });
  }
  return options;
};

/** The password is a getter for the same reason: kafkajs reads it at each login. */
const saslOf = (sasl: KafkaSasl): SASLOptions => {
  const { mechanism, username, passwordFile } = sasl;
  if (mechanism === 'oauthbearer') return oauthBearer(sasl);
  if (username === null || passwordFile === null || mechanism === 'none') {
    throw new PipelineError(
      'CONFIG_INVALID',
      `kafka.sasl: ${mechanism} needs a user name and a file with the password`,
    );
  }
  const password = () => readAnew(passwordFile).replace(/\r?\n$/, '');
  password();
  return {
    mechanism,
    username,
    get password() {
      return password();
    },
  };
};

/** What may be logged of what kafkajs reports: names, places and numbers. */
const allowedFields = new Set([
  'broker',
  'clientId',
  'groupId',
  'memberId',
  'generationId',
  'topic',
  'partition',
  'partitions',
  'offset',
  'nodeId',
  'error',
  'correlationId',
  'retryCount',
  'retryTime',
  'duration',
]);

/** Said of every idempotent producer whose retries end; ours are replaced after an error (see `kafkaAppender`). */
const knownWarning = 'Limiting retries for the idempotent producer may invalidate EoS guarantees';

/**
 * What kafkajs calls an error it mostly mends itself, so it is a warning here; errors that reach us are told where they
 * are classified. One message, so that log lines can be counted; what kafkajs says is a field.
 */
const bridge = (log: KafkaLog, { namespace, level, log: said }: LogEntry): void => {
  const { message, ...extra } = said as Readonly<Record<string, unknown>>;
  const fields = Object.entries(extra).filter(([name]) => allowedFields.has(name));
  const plain = fields.map(([name, value]): [string, unknown] => [
    name,
    value instanceof Error ? value.message : value,
  ]);
  const isOdd = level === logLevel.ERROR || (level === logLevel.WARN && message !== knownWarning);
  log(isOdd ? 'warn' : 'debug', 'the Kafka client says', {
    part: namespace,
    says: message,
    ...Object.fromEntries(plain),
  });
};
