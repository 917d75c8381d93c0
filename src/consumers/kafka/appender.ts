import kafkajs, { type CompressionTypes, type Kafka, type Producer } from 'kafkajs';
import { PipelineError, type ErrorCode } from '../../errors.ts';
import type { Header } from '../../schemas/record.ts';
import { kafkaError, protocolErrorType } from './errors.ts';
import { nullHeader } from './patches.ts';

/** What is appended as one record. */
export type NewRecord = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
};

export type Appender = {
  /**
   * Appends the records to one partition, in order, as one record batch. Resolves with the offset of the first when
   * all in-sync replicas have them; the others follow without a hole. A rejected append may have happened all the same.
   * A single record that is too large for the topic is compressed.
   */
  append(partition: number, records: readonly NewRecord[]): Promise<bigint>;
  /** Idempotent. Waits for appends that are under way. */
  close(): Promise<void>;
};

export type AppenderOptions = {
  readonly kafka: Kafka;
  readonly topic: string;
  /** What a batch that is larger than the topic takes is called. */
  readonly tooLarge: ErrorCode;
  /** How long kafkajs tries again by itself. */
  readonly retry?: { readonly retries: number; readonly initialRetryTime: number; readonly maxRetryTime: number };
};

const { None, ZSTD } = kafkajs.CompressionTypes;
const defaultRetry = { retries: 5, initialRetryTime: 200, maxRetryTime: 2000 };
const requestTimeoutMs = 30_000;

/**
 * One append at a time, through an idempotent producer that is thrown away with the first error: after a failed send
 * kafkajs takes its sequence number back although the broker may have the records. The next send then has the same
 * number, the broker takes other records for a repetition and acknowledges them with the old offset, unwritten.
 */
export const kafkaAppender = ({ kafka, topic, tooLarge, retry = defaultRetry }: AppenderOptions): Appender => {
  let producer: Promise<Producer> | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const open = async (): Promise<Producer> => {
    const opened = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // kafkajs asks the partitioner also for messages that name their partition.
      createPartitioner: () => partitionOf,
      retry,
    });
    await opened.connect();
    return opened;
  };

  const drop = async (): Promise<void> => {
    const dropped = producer;
    producer = null;
    await dropped?.then((one) => one.disconnect()).catch(() => undefined);
  };

  const send = async (
    partition: number,
    records: readonly NewRecord[],
    compression: CompressionTypes,
  ): Promise<bigint> => {
    if (isClosed) throw new PipelineError('KAFKA_UNAVAILABLE', `appending to ${topic}: the appender is closed`);
    const what = `appending ${records.length} records to ${topic}-${partition}`;
    try {
      producer ??= open();
      const messages = records.map((record) => ({ ...record, headers: toHeaders(record.headers), partition }));
      const how = { acks: -1, timeout: requestTimeoutMs, compression };
      const answer = await (await producer).send({ topic, ...how, messages });
      return baseOffsetOf(answer, what);
    } catch (error) {
      await drop();
      throw isTooLarge(error) ? new PipelineError(tooLarge, what, { cause: error }) : kafkaError(error, what);
    }
  };

  /** A topic's limit is on compressed bytes: a record that its producer compressed may inflate to far more. */
  const sendAsItFits = async (partition: number, records: readonly NewRecord[]): Promise<bigint> => {
    try {
      return await send(partition, records, None);
    } catch (error) {
      const isTooLargeAlone = records.length === 1 && error instanceof PipelineError && error.code === tooLarge;
      if (!isTooLargeAlone) throw error;
      return await send(partition, records, ZSTD);
    }
  };

  return {
    append: (partition, records) => {
      const appended = queue.then(() => sendAsItFits(partition, records));
      queue = appended.catch(() => undefined);
      return appended;
    },
    close: async () => {
      isClosed = true;
      await queue;
      await drop();
    },
  };
};

const partitionOf = ({ message }: { readonly message: { readonly partition?: number } }): number =>
  message.partition ?? 0;

const isTooLarge = (error: unknown): boolean =>
  ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'].includes(protocolErrorType(error) ?? '');

type Answer = Awaited<ReturnType<Producer['send']>>;

const baseOffsetOf = (answer: Answer, what: string): bigint => {
  const [only, ...others] = answer;
  if (others.length > 0 || only?.errorCode !== 0 || only.baseOffset === undefined || BigInt(only.baseOffset) < 0n) {
    throw new PipelineError('UNEXPECTED', `${what}: the acknowledgement states no offset`);
  }
  return BigInt(only.baseOffset);
};

/** Without a prototype: a header may be called `__proto__`. */
const toHeaders = (headers: readonly Header[]): Record<string, Buffer[]> => {
  const grouped = Object.create(null) as Record<string, Buffer[]>;
  for (const [name, value] of headers) (grouped[name] ??= []).push(value ?? nullHeader);
  return grouped;
};
