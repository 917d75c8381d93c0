/**
 * The package's entry for services: `import { connectProducer, gateway } from 'immutrail/producer'`. Builders make
 * events, the producer sends them; nothing of the pipeline comes along.
 */
import { kafkaClient, type KafkaSasl, type KafkaTls } from './consumers/kafka/connection.ts';
import { kafkaPublisher, type Compression } from './consumers/kafka/publisher.ts';
import { auditProducer, type AuditProducer, type AuditProducerOptions } from './producers/audit-producer.ts';
import { registryClient, type RegistryOptions } from './schemas/registry/client.ts';
import { registryEncoder } from './schemas/registry/encoder.ts';

export {
  aiAnalysis,
  authWebhook,
  gateway,
  notification,
  remediationOrchestrator,
  signalProcessing,
  workflowExecution,
} from './producers/builders.ts';
export type { AuditEvent, Statement } from './producers/audit-event.ts';
export type { AuditProducer, Unsent } from './producers/audit-producer.ts';
export { PipelineError as ImmutrailError } from './errors.ts';

export type ConnectOptions = Omit<AuditProducerOptions, 'send' | 'topic' | 'encode'> & {
  readonly brokers: readonly string[];
  /** Default `audit.events`. */
  readonly topic?: string;
  readonly tls?: Partial<KafkaTls>;
  readonly sasl?: Partial<KafkaSasl>;
  /** Default `zstd`. */
  readonly compression?: Compression;
  /** Default: plain JSON. Schemas are registered under `<topic>-<event_type>` when they are first needed. */
  readonly registry?: RegistryOptions & { readonly format: 'avro' | 'json' };
};

/** Connects with the first event: an unreachable Kafka is waited for, up to each event's deliveryTimeoutMs. */
export const connectProducer = (options: ConnectOptions): AuditProducer => {
  const { brokers, topic = 'audit.events', tls = {}, sasl = {}, compression = 'zstd', registry, ...rest } = options;
  const kafka = kafkaClient({
    brokers,
    clientId: options.service,
    tls: { enabled: false, caFile: null, certFile: null, keyFile: null, ...tls },
    sasl: { mechanism: 'none', username: null, passwordFile: null, tokenFile: null, ...sasl },
    requestTimeoutMs: 10_000,
  });
  const sender = kafkaPublisher({ kafka, compression });
  const producer = auditProducer({
    ...rest,
    topic,
    send: sender.send,
    ...(registry && {
      encode: registryEncoder({ registry: registryClient(registry), topic, format: registry.format }),
    }),
  });
  return {
    ...producer,
    close: async (given) => {
      const unsent = await producer.close(given);
      await sender.close();
      return unsent;
    },
  };
};
