import kafkajs, { type Kafka, type Message, type PartitionerArgs, type Producer } from 'kafkajs';
import { PipelineError } from '../../errors.ts';
import { kafkaError, protocolErrorType } from './errors.ts';

/** What services publish; the key decides the partition, as in every client of Kafka. */
export type PublishedMessage = {
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
};

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;
const codecs = { none: None, gzip: GZIP, snappy: Snappy, lz4: LZ4, zstd: ZSTD } as const;

export type PublisherOptions = { readonly kafka: Pick<Kafka, 'producer'>; readonly compression?: Compression };

export type Publisher = {
  /**
   * Resolves when all in-sync replicas have every message. Rejects with a PipelineError (EVENT_REFUSED: one is larger
   * than the topic takes); some of the messages may then lie on the topic all the same.
   */
  send(topic: string, messages: readonly PublishedMessage[]): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
};

/** Partitions whose messages were left out move no more often than leaders do. */
const maxRounds = 20;

/**
 * An idempotent producer that holds kafkajs to its word. When a partition moves to a broker that has answered already,
 * between two tries of one send, kafkajs leaves its messages out and resolves all the same: what was answered for is
 * compared with what was sent, and what is missing is sent again. After an error the producer is thrown away (see
 * appender.ts).
 */
export const kafkaPublisher = ({ kafka, compression = 'none' }: PublisherOptions): Publisher => {
  const places = new WeakMap<Message, number>();
  let producer: Promise<Producer> | null = null;

  const open = async (): Promise<Producer> => {
    const opened = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: () => {
        const choose = kafkajs.Partitioners.DefaultPartitioner();
        return (args: PartitionerArgs) => {
          const partition = choose(args);
          places.set(args.message, partition);
          return partition;
        };
      },
    });
    await opened.connect();
    return opened;
  };

  const drop = async (): Promise<void> => {
    const dropped = producer;
    producer = null;
    await dropped?.then((one) => one.disconnect()).catch(() => undefined);
  };

  /** The messages whose partition nobody answered for. */
  const sendOnce = async (topic: string, messages: readonly Message[]): Promise<readonly Message[]> => {
    producer ??= open();
    const how = { acks: -1, compression: codecs[compression] };
    const answer = await (await producer).send({ topic, ...how, messages: [...messages] });
    const answered = new Set(answer.map(({ partition }) => partition));
    return messages.filter((message) => !answered.has(places.get(message) ?? -1));
  };

  return {
    send: async (topic, messages) => {
      const what = `publishing ${messages.length} messages to ${topic}`;
      try {
        let left: readonly Message[] = messages.map(({ key, value, headers }) => ({
          key,
          value,
          headers: { ...headers },
        }));
        for (let round = 0; round < maxRounds && left.length > 0; round += 1) left = await sendOnce(topic, left);
        if (left.length > 0)
          throw new PipelineError('KAFKA_UNAVAILABLE', `${what}: ${left.length} were never acknowledged`);
      } catch (error) {
        await drop();
        throw error instanceof PipelineError ? error : publishError(error, what);
      }
    },
    close: drop,
  };
};

const publishError = (error: unknown, what: string): PipelineError => {
  const type = protocolErrorType(error) ?? '';
  if (type !== 'MESSAGE_TOO_LARGE' && type !== 'RECORD_LIST_TOO_LARGE') return kafkaError(error, what);
  return new PipelineError('EVENT_REFUSED', `${what}: larger than the topic takes`, { cause: error });
};
