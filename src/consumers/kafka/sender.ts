import kafkajs, { type Kafka, type Producer } from 'kafkajs';
import { PipelineError } from '../../errors.ts';
import { kafkaError, protocolErrorType } from './errors.ts';

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;
const codecs = { none: None, gzip: GZIP, snappy: Snappy, lz4: LZ4, zstd: ZSTD } as const;

export type OutgoingRecord = {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
};

export type Sender = {
  /** Resolves when all in-sync replicas have every record; rejected, they may be there all the same. One at a time. */
  send(topic: string, records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
};

/**
 * Idempotent, acks from all, records of one key in one partition and in order. Its producer is thrown away with the
 * first error, for the reason that kafkaAppender has (docs/decisions/0007).
 */
export const kafkaSender = (kafka: Kafka, compression: Compression): Sender => {
  let producer: Promise<Producer> | null = null;
  const open = async (): Promise<Producer> => {
    const opened = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false });
    await opened.connect();
    return opened;
  };
  const drop = async (): Promise<void> => {
    const dropped = producer;
    producer = null;
    await dropped?.then((one) => one.disconnect()).catch(() => undefined);
  };
  return {
    send: async (topic, records) => {
      const what = `sending ${records.length} records to ${topic}`;
      try {
        producer ??= open();
        const messages = records.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } }));
        await (await producer).send({ topic, acks: -1, compression: codecs[compression], messages });
      } catch (error) {
        await drop();
        const type = protocolErrorType(error) ?? '';
        if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') {
          throw new PipelineError('EVENT_REFUSED', `${what}: larger than the topic takes`, { cause: error });
        }
        throw kafkaError(error, what);
      }
    },
    close: drop,
  };
};
