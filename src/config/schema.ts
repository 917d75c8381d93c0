import { z } from 'zod';
import {
  fileOrUnset,
  oneOf,
  ownFile,
  ownFolderOrUnset,
  secretFile,
  secretFilesOrNone,
  text,
  textOrUnset,
  texts,
  textsOrNone,
  whole,
  wholeOrUnset,
  yesNo,
} from './setting.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const second = 1000;
const minute = 60 * second;

const topicName = {
  pattern: /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/,
  allowed: 'a topic name: letters, digits, dot, underscore, hyphen; up to 249',
};
const hostName = { pattern: /^[^\s/@:]+$|^[0-9a-fA-F:]*::?[0-9a-fA-F:.]*$/, allowed: 'a host name or address' };
const hostPort = { pattern: /^([^\s/@:]+|\[[0-9a-fA-F:.]+\]):\d{1,5}$/, allowed: 'host:port' };

const kafkaTls = z.strictObject({
  enabled: yesNo('Speak TLS with the brokers.', false),
  caFile: fileOrUnset('Certificates (PEM) to trust instead of those of the system.', 'plain'),
  certFile: fileOrUnset('Our certificate (PEM), where the brokers ask for one.', 'plain'),
  keyFile: fileOrUnset('Private key (PEM) of our certificate.', 'secret'),
});

const kafkaSasl = z.strictObject({
  mechanism: oneOf(
    'How we log in. `plain` sends the password as it is: use it with TLS only.',
    ['none', 'plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
    'none',
  ),
  username: textOrUnset('User name, for plain and scram.'),
  passwordFile: fileOrUnset('Password, for plain and scram; read anew at each connection.', 'secret'),
  tokenFile: fileOrUnset('Token, for oauthbearer; read anew whenever a token is asked for.', 'secret'),
});

const kafka = z.strictObject({
  brokers: texts('Brokers to ask first.', ['localhost:9092'], hostPort),
  clientId: text('What the brokers call us in their logs and quotas.', 'immutrail'),
  topic: text('The topic that holds the events.', 'audit.events', topicName),
  deadLetterTopic: text('The topic for records that cannot be stored.', 'audit.events.dlq', topicName),
  group: text('The consumer group. The ledger states it: another group needs another ledger.', 'immutrail'),
  tls: kafkaTls,
  sasl: kafkaSasl,
  sessionTimeoutMs: whole('A member that is silent for so long loses its partitions.', 30 * second, {
    min: second,
    max: 30 * minute,
    unit: 'ms',
  }),
  heartbeatIntervalMs: whole('Time between heartbeats; at most a third of the session time-out.', 3 * second, {
    min: 100,
    max: 10 * minute,
    unit: 'ms',
  }),
  rebalanceTimeoutMs: whole('Time that members have to finish their writes when the group changes.', minute, {
    min: second,
    max: 60 * minute,
    unit: 'ms',
  }),
  requestTimeoutMs: whole('Longest wait for one answer of a broker.', 30 * second, {
    min: second,
    max: 10 * minute,
    unit: 'ms',
  }),
  fetchMaxBytes: whole('Most bytes of one fetch.', 2 * MiB, { min: 64 * KiB, max: 256 * MiB, unit: 'bytes' }),
  fetchMaxBytesPerPartition: whole('Most bytes of one partition in one fetch.', 256 * KiB, {
    min: 16 * KiB,
    max: 64 * MiB,
    unit: 'bytes',
  }),
  fetchMinBytes: whole('A broker waits for so much, but no longer than fetchMaxWaitMs.', 1, {
    min: 1,
    max: 16 * MiB,
    unit: 'bytes',
  }),
  fetchMaxWaitMs: whole('Longest wait of a broker for fetchMinBytes; also the delay of a resumed partition.', 250, {
    min: 10,
    max: 5 * second,
    unit: 'ms',
  }),
});

const ledgerTls = z.strictObject({
  enabled: yesNo('Speak TLS with immudb.', false),
  caFile: fileOrUnset('Certificates (PEM) to trust instead of those of the system.', 'plain'),
  certFile: fileOrUnset('Our certificate (PEM), where immudb asks for one.', 'plain'),
  keyFile: fileOrUnset('Private key (PEM) of our certificate.', 'secret'),
  serverName: textOrUnset(
    'The name that must stand in the certificate of the server, if it is not `ledger.host`.',
    hostName,
  ),
});

const ledger = z.strictObject({
  host: text('Host of immudb.', '127.0.0.1', hostName),
  port: whole('Port of immudb (gRPC).', 3322, { min: 1, max: 65_535 }),
  database: text('The database that is the ledger.', 'immutrail', {
    pattern: /^[a-z0-9]{1,128}$/,
    allowed: 'lower-case letters and digits only, as immudb demands',
  }),
  username: text('User of immudb; needs to read and write this one database.', 'immudb'),
  passwordFile: secretFile('Password of that user; read anew for each session.'),
  tls: ledgerTls,
  signingKeyFile: fileOrUnset(
    'Public key (PEM) with which immudb signs its state; checked where it is given.',
    'plain',
  ),
  genesis: textOrUnset('Hash of the first transaction, as `immutrail init` prints it. Pins this very ledger.', {
    pattern: /^[0-9a-f]{64}$/,
    allowed: '64 hexadecimal digits, lower case',
  }),
  trustOnFirstUse: yesNo(
    'Without a trusted state, a checkpoint that is believed or a pinned genesis, believe what the ledger says of itself.',
    false,
  ),
  trustedStateFile: ownFile(
    'Where the last proven state is kept. Keep it away from the disk of immudb: it tells a restored ledger.',
    'immutrail.state.json',
  ),
  deadlineMs: whole('Longest wait for one answer of immudb.', 10 * second, { min: 100, max: 5 * minute, unit: 'ms' }),
  startTimeoutMs: whole('How long the start waits for immudb before it gives up (exit code 75).', minute, {
    min: second,
    max: 60 * minute,
    unit: 'ms',
  }),
  channels: whole('Connections to immudb; with two or more, the first carries the writes alone.', 2, {
    min: 1,
    max: 16,
  }),
  callsPerSecond: wholeOrUnset('Most writes per second; unset is no limit.', {
    min: 1,
    max: 1_000_000,
    unit: 'calls/s',
  }),
  bytesPerSecond: wholeOrUnset('Most bytes written per second; unset is no limit.', {
    min: 64 * KiB,
    max: 100_000 * MiB,
    unit: 'bytes/s',
  }),
  maxRetries: whole('How often a refused write that nothing explains is composed again before the process halts.', 5, {
    min: 0,
    max: 100,
  }),
  backoffInitialMs: whole('First wait after a failure; it doubles, with jitter.', 100, {
    min: 1,
    max: minute,
    unit: 'ms',
  }),
  backoffMaxMs: whole('Longest wait between two attempts.', 10 * second, { min: 1, max: 10 * minute, unit: 'ms' }),
});

const publicKey = {
  pattern: /^[^\s+,]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/,
  allowed: 'public keys as `immutrail keys show` prints them, name+id+base64',
};

const checkpoints = z.strictObject({
  signingKeyFiles: secretFilesOrNone(
    'Keys that sign checkpoints, made by `immutrail keys make`; two while one takes over from the other. None: no checkpoints are published.',
  ),
  publicKeys: textsOrNone(
    'Public keys whose checkpoints are believed, beside those of our own signing keys.',
    publicKey,
  ),
  topic: text('The topic that checkpoints are published to.', 'audit.checkpoints', topicName),
  folder: ownFolderOrUnset('A folder that they are also written to, away from the disk of immudb.'),
  everyMs: whole('Time between two checkpoints while the ledger grows.', 5 * second, {
    min: 100,
    max: 60 * minute,
    unit: 'ms',
  }),
  idleMs: whole('Time between two checkpoints while it does not.', 60 * minute, {
    min: second,
    max: 24 * 60 * minute,
    unit: 'ms',
  }),
});

const batch = z.strictObject({
  maxEvents: whole(
    'Most events of one transaction; immudb takes 1,024 entries, so index entries may cut it lower.',
    1000,
    {
      min: 1,
      max: 1000,
      unit: 'events',
    },
  ),
  maxBytes: whole(
    'Most bytes of records in one transaction; half of what immudb takes stays for what is added.',
    4 * MiB,
    {
      min: 64 * KiB,
      max: 16 * MiB,
      unit: 'bytes',
    },
  ),
  maxAgeMs: whole('Longest wait for more records before a transaction is written.', 2, {
    min: 0,
    max: minute,
    unit: 'ms',
  }),
});

const registryTls = z.strictObject({
  caFile: fileOrUnset('Certificates (PEM) to trust instead of those of the system.', 'plain'),
  certFile: fileOrUnset('Our certificate (PEM), where the registry asks for one.', 'plain'),
  keyFile: fileOrUnset('Private key (PEM) of our certificate.', 'secret'),
});

const registry = z.strictObject({
  url: textOrUnset(
    'Schema registry (Confluent-compatible). Without it records in the frame of a registry are dead letters.',
    { pattern: /^https?:\/\/[^\s@/?#]+(\/[^\s?#]*)?$/, allowed: 'an http or https address without a login' },
  ),
  username: textOrUnset('User of the registry, for basic authentication.'),
  passwordFile: fileOrUnset('Password of that user; read anew for each request.', 'secret'),
  tls: registryTls,
  timeoutMs: whole('Longest wait for one answer of the registry.', 5 * second, { min: 100, max: minute, unit: 'ms' }),
});

const payloads = z.strictObject({
  check: oneOf(
    'What becomes of an event whose payload is not what docs/events.md says of its type: `enforce` dead-letters it, `warn` stores and counts it, `off` does not look.',
    ['enforce', 'warn', 'off'],
    'enforce',
  ),
});

const gaps = z.strictObject({
  maxLoss: whole('So many offsets lost to retention pass with an alarm; more hold the partition until accepted.', 0, {
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
    unit: 'offsets',
  }),
});

const breaker = z.strictObject({
  window: whole('So many records of a partition are looked at together.', 2000, { min: 10, max: 1_000_000 }),
  maxSharePercent: whole(
    'More records at fault among them, in percent, hold the partition until a person releases it; 100 is never.',
    50,
    { min: 1, max: 100 },
  ),
  maxRun: whole('More records at fault in a row hold it, too.', 500, { min: 1, max: Number.MAX_SAFE_INTEGER }),
});

const redrive = z.strictObject({
  operator: textOrUnset('Who acts on dead letters, where --by does not say it; kept in the ledger for ever.'),
  maxAttempts: whole('A record that was tried so often is not sent again by itself: a person decides on it.', 3, {
    min: 1,
    max: 1000,
  }),
  perSecond: whole('Records that a redrive sends per second, unless --rate says otherwise.', 500, {
    min: 1,
    max: 1_000_000,
    unit: 'events',
  }),
  depthEveryMs: whole('Least time between two countings of the unsettled dead letters.', 30 * second, {
    min: 500,
    max: 60 * minute,
    unit: 'ms',
  }),
});

const http = z.strictObject({
  host: text('Where /metrics, /livez and /readyz listen. Loopback unless you say otherwise.', '127.0.0.1', hostName),
  port: whole('Their port; 0 takes a free one.', 9464, { min: 0, max: 65_535 }),
});

const lag = z.strictObject({
  everyMs: whole('Time between two readings of the lag from Kafka.', 15 * second, {
    min: 500,
    max: 10 * minute,
    unit: 'ms',
  }),
});

const log = z.strictObject({
  level: oneOf('Least level to log.', ['fatal', 'error', 'warn', 'info', 'debug', 'trace'], 'info'),
  format: oneOf('JSON for machines, pretty for people.', ['json', 'pretty'], 'json'),
});

const stopDeadline = (meaning: string, initial: number) =>
  whole(meaning, initial, { min: 100, max: 10 * minute, unit: 'ms' });
const stop = z.strictObject({
  fetchMs: stopDeadline('At a stop: time to end fetching.', 5 * second),
  writeMs: stopDeadline('At a stop: time to finish the writes in flight.', 20 * second),
  commitMs: stopDeadline('At a stop: time to tell Kafka the offsets and leave the group.', 5 * second),
  closeMs: stopDeadline('At a stop: time for each connection to close.', 5 * second),
});

/** Every setting there is. Groups are strict objects, leaves are described in setting.ts. */
export const configSchema = z.strictObject({
  kafka,
  ledger,
  checkpoints,
  batch,
  registry,
  payloads,
  gaps,
  breaker,
  redrive,
  http,
  lag,
  log,
  stop,
});

type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** The whole configuration, checked and deeply frozen. It holds names of files with secrets, never a secret. */
export type Config = Frozen<z.output<typeof configSchema>>;
