import { PipelineError, type ErrorCode } from '../../errors.ts';

/**
 * Every failure of Kafka and kafkajs that we know, by the name it goes by: the type of a protocol error, the name of
 * an error of kafkajs or ours, or a code of Node's sockets and TLS. What waiting may mend is retried; kafkajs has
 * retried each of them already for as long as `retry` of the connection says.
 */
export const kafkaErrorTable = {
  // --- login
  SASL_AUTHENTICATION_FAILED: 'KAFKA_AUTH_FAILED',
  KafkaJSSASLAuthenticationError: 'KAFKA_AUTH_FAILED',
  OauthTokenRefused: 'KAFKA_AUTH_FAILED',
  OauthTokenUnavailable: 'KAFKA_UNAVAILABLE',
  UNSUPPORTED_SASL_MECHANISM: 'KAFKA_UNSUPPORTED',
  // A listener that wants no login, or another one.
  ILLEGAL_SASL_STATE: 'KAFKA_AUTH_FAILED',

  // --- rights
  TOPIC_AUTHORIZATION_FAILED: 'KAFKA_PERMISSION',
  GROUP_AUTHORIZATION_FAILED: 'KAFKA_PERMISSION',
  CLUSTER_AUTHORIZATION_FAILED: 'KAFKA_PERMISSION',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'KAFKA_PERMISSION',

  // --- topics
  UNKNOWN_TOPIC_OR_PARTITION: 'KAFKA_TOPIC_MISSING',
  INVALID_TOPIC_EXCEPTION: 'KAFKA_TOPIC_MISSING',
  MESSAGE_TOO_LARGE: 'KAFKA_REFUSED',
  RECORD_LIST_TOO_LARGE: 'KAFKA_REFUSED',
  INVALID_RECORD: 'KAFKA_REFUSED',
  INVALID_CONFIG: 'KAFKA_REFUSED',
  INVALID_PARTITIONS: 'KAFKA_REFUSED',
  INVALID_REPLICATION_FACTOR: 'KAFKA_REFUSED',
  POLICY_VIOLATION: 'KAFKA_REFUSED',
  TOPIC_DELETION_DISABLED: 'KAFKA_REFUSED',
  SECURITY_DISABLED: 'KAFKA_REFUSED',
  OFFSET_METADATA_TOO_LARGE: 'KAFKA_REFUSED',
  INVALID_SESSION_TIMEOUT: 'KAFKA_REFUSED',

  // --- what cannot be read
  RecordBatchUndecodable: 'RECORD_BATCH_UNDECODABLE',
  UNSUPPORTED_COMPRESSION_TYPE: 'KAFKA_UNSUPPORTED',
  UNSUPPORTED_VERSION: 'KAFKA_UNSUPPORTED',
  UNSUPPORTED_FOR_MESSAGE_FORMAT: 'KAFKA_UNSUPPORTED',
  KafkaJSServerDoesNotSupportApiKey: 'KAFKA_UNSUPPORTED',
  KafkaJSNotImplemented: 'KAFKA_UNSUPPORTED',

  // --- the group
  INCONSISTENT_GROUP_PROTOCOL: 'KAFKA_GROUP_CONFLICT',
  GROUP_MAX_SIZE_REACHED: 'KAFKA_GROUP_CONFLICT',
  INVALID_GROUP_ID: 'KAFKA_GROUP_CONFLICT',
  FENCED_INSTANCE_ID: 'KAFKA_GROUP_CONFLICT',
  NON_EMPTY_GROUP: 'KAFKA_GROUP_CONFLICT',
  GROUP_SUBSCRIBED_TO_TOPIC: 'KAFKA_GROUP_CONFLICT',
  REBALANCE_IN_PROGRESS: 'KAFKA_UNAVAILABLE',
  ILLEGAL_GENERATION: 'KAFKA_UNAVAILABLE',
  UNKNOWN_MEMBER_ID: 'KAFKA_UNAVAILABLE',
  MEMBER_ID_REQUIRED: 'KAFKA_UNAVAILABLE',
  NOT_COORDINATOR_FOR_GROUP: 'KAFKA_UNAVAILABLE',
  GROUP_COORDINATOR_NOT_AVAILABLE: 'KAFKA_UNAVAILABLE',
  GROUP_LOAD_IN_PROGRESS: 'KAFKA_UNAVAILABLE',
  KafkaJSGroupCoordinatorNotFound: 'KAFKA_UNAVAILABLE',
  UNSTABLE_OFFSET_COMMIT: 'KAFKA_UNAVAILABLE',

  // --- brokers that come and go
  UNKNOWN: 'KAFKA_UNAVAILABLE',
  LEADER_NOT_AVAILABLE: 'KAFKA_UNAVAILABLE',
  NOT_LEADER_FOR_PARTITION: 'KAFKA_UNAVAILABLE',
  FENCED_LEADER_EPOCH: 'KAFKA_UNAVAILABLE',
  UNKNOWN_LEADER_EPOCH: 'KAFKA_UNAVAILABLE',
  REPLICA_NOT_AVAILABLE: 'KAFKA_UNAVAILABLE',
  BROKER_NOT_AVAILABLE: 'KAFKA_UNAVAILABLE',
  NOT_CONTROLLER: 'KAFKA_UNAVAILABLE',
  OFFSET_NOT_AVAILABLE: 'KAFKA_UNAVAILABLE',
  OFFSET_OUT_OF_RANGE: 'KAFKA_UNAVAILABLE',
  NOT_ENOUGH_REPLICAS: 'KAFKA_UNAVAILABLE',
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: 'KAFKA_UNAVAILABLE',
  REQUEST_TIMED_OUT: 'KAFKA_UNAVAILABLE',
  NETWORK_EXCEPTION: 'KAFKA_UNAVAILABLE',
  KAFKA_STORAGE_ERROR: 'KAFKA_UNAVAILABLE',
  // The broker's complaint about bytes that arrived damaged: another try sends them anew.
  CORRUPT_MESSAGE: 'KAFKA_UNAVAILABLE',
  // The appender drops its producer and begins anew with each of these.
  OUT_OF_ORDER_SEQUENCE_NUMBER: 'KAFKA_UNAVAILABLE',
  UNKNOWN_PRODUCER_ID: 'KAFKA_UNAVAILABLE',
  DUPLICATE_SEQUENCE_NUMBER: 'KAFKA_UNAVAILABLE',
  INVALID_PRODUCER_EPOCH: 'KAFKA_UNAVAILABLE',
  KafkaJSRequestTimeoutError: 'KAFKA_UNAVAILABLE',
  KafkaJSTimeout: 'KAFKA_UNAVAILABLE',
  KafkaJSLockTimeout: 'KAFKA_UNAVAILABLE',
  KafkaJSBrokerNotFound: 'KAFKA_UNAVAILABLE',
  KafkaJSMetadataNotLoaded: 'KAFKA_UNAVAILABLE',
  KafkaJSTopicMetadataNotLoaded: 'KAFKA_UNAVAILABLE',
  KafkaJSStaleTopicMetadataAssignment: 'KAFKA_UNAVAILABLE',
  KafkaJSNoBrokerAvailableError: 'KAFKA_UNAVAILABLE',
  KafkaJSConnectionClosedError: 'KAFKA_UNAVAILABLE',
  KafkaJSConnectionError: 'KAFKA_UNAVAILABLE',

  // --- TLS
  SELF_SIGNED_CERT_IN_CHAIN: 'KAFKA_TLS_FAILED',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'KAFKA_TLS_FAILED',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'KAFKA_TLS_FAILED',
  UNABLE_TO_GET_ISSUER_CERT: 'KAFKA_TLS_FAILED',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'KAFKA_TLS_FAILED',
  CERT_HAS_EXPIRED: 'KAFKA_TLS_FAILED',
  CERT_NOT_YET_VALID: 'KAFKA_TLS_FAILED',
  CERT_SIGNATURE_FAILURE: 'KAFKA_TLS_FAILED',
  CERT_REVOKED: 'KAFKA_TLS_FAILED',
  CERT_UNTRUSTED: 'KAFKA_TLS_FAILED',
  ERR_TLS_CERT_ALTNAME_INVALID: 'KAFKA_TLS_FAILED',
  ERR_SSL_WRONG_VERSION_NUMBER: 'KAFKA_TLS_FAILED',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'KAFKA_TLS_FAILED',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'KAFKA_TLS_FAILED',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'KAFKA_TLS_FAILED',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'KAFKA_TLS_FAILED',
  ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE: 'KAFKA_TLS_FAILED',
} as const satisfies Record<string, ErrorCode>;

type KnownName = keyof typeof kafkaErrorTable;
const isKnown = (name: unknown): name is KnownName => typeof name === 'string' && Object.hasOwn(kafkaErrorTable, name);

/** How deep causes nest: retries, request, protocol; the rest is a loop. */
const deepestCause = 8;

/** The error, its causes, and the members of an aggregate, outermost first. */
const chainOf = (error: unknown, depth = 0): object[] => {
  if (typeof error !== 'object' || error === null || depth > deepestCause) return [];
  const { cause, errors } = error as { cause?: unknown; errors?: unknown };
  const parts = [cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  return [error, ...parts.flatMap((part) => chainOf(part, depth + 1))];
};

/** A connection error says by its `code` more than by its name, a protocol error by its `type`. */
const nameOf = (error: object): KnownName | undefined => {
  const { type, code, name } = error as Record<string, unknown>;
  return [type, code, name].find(isKnown);
};

/**
 * Whatever a call into kafkajs threw, classified; `doing` begins the message. A `KafkaJSNonRetriableError` around an
 * error that is not known halts as KAFKA_REFUSED; what is not of Kafka at all is a bug.
 */
export const kafkaError = (error: unknown, doing: string): PipelineError => {
  if (error instanceof PipelineError) return error;
  const chain = chainOf(error);
  const message = `${doing}: ${error instanceof Error ? error.message : String(error)}`;
  const known = chain.map(nameOf).findLast((name) => name !== undefined);
  return new PipelineError(known ? kafkaErrorTable[known] : unknownCode(chain), message, { cause: error });
};

const programmersErrors = new Set(['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError']);

const unknownCode = (chain: readonly object[]): ErrorCode => {
  const names = chain.map((error) => String((error as { name?: unknown }).name));
  if (names.some((name) => programmersErrors.has(name))) return 'UNEXPECTED';
  return names.some((name) => name.startsWith('KafkaJS')) ? 'KAFKA_REFUSED' : 'UNEXPECTED';
};

const groupErrors = new Set<unknown>([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
]);

/**
 * An error by which the coordinator says that the membership as it was is over. kafkajs rejoins by itself when this
 * very object, not a wrapped one, comes out of `eachBatch`.
 */
export const isGroupError = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && groupErrors.has((error as { type?: unknown }).type);

/** The type of the protocol error at the bottom of whatever was thrown, such as MESSAGE_TOO_LARGE. */
export const protocolErrorType = (error: unknown): string | undefined =>
  chainOf(error)
    .map((one) => (one as { type?: unknown }).type)
    .findLast((type) => typeof type === 'string');
