import type { Gap, KafkaRecord } from '../../schemas/record.ts';
import {
  decodeRecordBatches,
  isUndecodable,
  MAGIC_AT,
  type AbortedTransaction,
  type Decompress,
  type Fetched,
} from './record-batch.ts';

/** A fetch response of versions 4 to 11, decoded into what kafkajs's own decoder returns. */
export type FetchResponse = {
  readonly throttleTime: number;
  /** From version 8 on the broker answers at once and expects the client to wait (KIP-219). */
  readonly clientSideThrottleTime?: number;
  readonly errorCode?: number;
  readonly sessionId?: number;
  readonly responses: readonly TopicResponse[];
};

type TopicResponse = { readonly topicName: string; readonly partitions: readonly PartitionResponse[] };

type PartitionResponse = {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  /** kafkajs's spelling of the log start offset. */
  readonly lastStartOffset?: string;
  /** Always empty: what was aborted is told apart already, and kafkajs's own filter must not run. */
  readonly abortedTransactions: readonly never[];
  readonly preferredReadReplica?: number;
  /** One or none. */
  readonly messages: readonly StandIn[];
};

/**
 * The one message that kafkajs gets to see of a partition and fetch, in the place of the last. It makes several objects
 * of every message that passes through it, for filters that must not run anyway.
 */
export type StandIn = {
  readonly offset: string;
  readonly key: null;
  readonly isControlRecord: false;
  readonly fetched: Fetched;
};

export type FetchDecoding = {
  readonly decompress: Decompress;
  /** Reads record sets of message formats 0 and 1, which Kafka before 4.0 can still hold. */
  readonly decodeLegacy: (bytes: Buffer) => Promise<readonly LegacyMessage[]>;
  /** Told of each partition that was answered with an error (https://kafka.apache.org/protocol#protocol_error_codes). */
  readonly onError?: (topic: string, partition: number, code: number) => void;
};

export type LegacyMessage = {
  readonly offset: string;
  readonly timestamp?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
};

/** Rejects with `Undecodable`, which then names topic and partition. Layout: https://kafka.apache.org/protocol#The_Messages_Fetch */
export const decodeFetchResponse = async (
  version: number,
  bytes: Buffer,
  decoding: FetchDecoding,
): Promise<FetchResponse> => {
  const reader = createReader(bytes);
  const throttle = reader.int32();
  const session = version >= 7 ? { errorCode: reader.int16(), sessionId: reader.int32() } : {};
  const responses: TopicResponse[] = [];
  for (let topics = reader.int32(); topics > 0; topics -= 1) {
    responses.push(await decodeTopic(version, reader, decoding));
  }
  return version >= 8
    ? { throttleTime: 0, clientSideThrottleTime: throttle, ...session, responses }
    : { throttleTime: throttle, ...session, responses };
};

const decodeTopic = async (version: number, reader: Reader, decoding: FetchDecoding): Promise<TopicResponse> => {
  const topicName = reader.string();
  const partitions: PartitionResponse[] = [];
  for (let count = reader.int32(); count > 0; count -= 1) {
    partitions.push(await decodePartition(version, topicName, reader, decoding));
  }
  return { topicName, partitions };
};

const decodePartition = async (
  version: number,
  topic: string,
  reader: Reader,
  decoding: FetchDecoding,
): Promise<PartitionResponse> => {
  const head = {
    partition: reader.int32(),
    errorCode: reader.int16(),
    highWatermark: String(reader.int64()),
    lastStableOffset: String(reader.int64()),
    ...(version >= 5 ? { lastStartOffset: String(reader.int64()) } : {}),
  };
  if (head.errorCode !== 0) decoding.onError?.(topic, head.partition, head.errorCode);
  const aborted = readAborted(reader);
  const preferred = version >= 11 ? { preferredReadReplica: reader.int32() } : {};
  const records = reader.records();
  const fetched = await decodeRecordSet(records, head.partition, aborted, decoding).catch((error: unknown) => {
    throw isUndecodable(error) ? nameThePartition(error, topic, head.partition) : error;
  });
  return { ...head, abortedTransactions: [], ...preferred, messages: fetched === null ? [] : [standIn(fetched)] };
};

const standIn = (fetched: Fetched): StandIn => ({
  offset: String(fetched.last),
  key: null,
  isControlRecord: false,
  fetched,
});

const nameThePartition = (error: Error, topic: string, partition: number): Error => {
  error.message = `${topic}-${partition}: ${error.message}`;
  return Object.assign(error, { topic, partition });
};

const readAborted = (reader: Reader): AbortedTransaction[] => {
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.int32(); count > 0; count -= 1) {
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
  }
  return aborted;
};

const decodeRecordSet = async (
  bytes: Buffer,
  partition: number,
  aborted: readonly AbortedTransaction[],
  { decompress, decodeLegacy }: FetchDecoding,
): Promise<Fetched | null> => {
  if (bytes.length <= MAGIC_AT) return null;
  if (bytes.readInt8(MAGIC_AT) < 2) return fromLegacy(await decodeLegacy(bytes), partition);
  return decodeRecordBatches(bytes, partition, decompress, aborted);
};

const noGaps: readonly Gap[] = [];

const fromLegacy = (messages: readonly LegacyMessage[], partition: number): Fetched | null => {
  const records = messages.map(({ offset, timestamp, key, value }): KafkaRecord => ({
    partition,
    offset: BigInt(offset),
    timestamp: BigInt(timestamp ?? -1),
    timestampType: 'create',
    key,
    value,
    headers: [],
  }));
  const last = records.at(-1);
  return last === undefined ? null : { records, gaps: noGaps, last: last.offset };
};

type Reader = ReturnType<typeof createReader>;

const createReader = (bytes: Buffer) => {
  let at = 0;
  const skip = (length: number): number => {
    at += length;
    return at - length;
  };
  const take = (length: number): Buffer => bytes.subarray(skip(Math.max(length, 0)), at);
  const int32 = (): number => bytes.readInt32BE(skip(4));
  return {
    int16: (): number => bytes.readInt16BE(skip(2)),
    int32,
    int64: (): bigint => bytes.readBigInt64BE(skip(8)),
    string: (): string => take(bytes.readInt16BE(skip(2))).toString('utf8'),
    records: (): Buffer => take(int32()),
  };
};
