import { decodeRecordBatches, isUndecodable, MAGIC_AT, type Decompress, type RawRecord } from './record-batch.ts';

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
  /** Always empty: their records are marked already, and kafkajs's own filter must not run (see `markAborted`). */
  readonly abortedTransactions: readonly AbortedTransaction[];
  readonly preferredReadReplica?: number;
  readonly messages: readonly unknown[];
};

export type AbortedTransaction = { readonly producerId: string; readonly firstOffset: bigint };

export type FetchDecoding = {
  readonly decompress: Decompress;
  /** Reads record sets of message formats 0 and 1, which Kafka before 4.0 can still hold. */
  readonly decodeLegacy: (bytes: Buffer) => Promise<readonly unknown[]>;
  /** Told of each partition that was answered with an error (https://kafka.apache.org/protocol#protocol_error_codes). */
  readonly onError?: (topic: string, partition: number, code: number) => void;
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
  const messages = await decodeRecordSet(records, aborted, decoding).catch((error: unknown) => {
    throw isUndecodable(error) ? nameThePartition(error, topic, head.partition) : error;
  });
  return { ...head, abortedTransactions: [], ...preferred, messages };
};

const nameThePartition = (error: Error, topic: string, partition: number): Error => {
  error.message = `${topic}-${partition}: ${error.message}`;
  return Object.assign(error, { topic, partition });
};

const readAborted = (reader: Reader): AbortedTransaction[] => {
  const aborted: AbortedTransaction[] = [];
  for (let count = reader.int32(); count > 0; count -= 1) {
    aborted.push({ producerId: String(reader.int64()), firstOffset: reader.int64() });
  }
  return aborted;
};

const decodeRecordSet = async (
  records: Buffer,
  aborted: readonly AbortedTransaction[],
  { decompress, decodeLegacy }: FetchDecoding,
): Promise<readonly unknown[]> => {
  if (records.length <= MAGIC_AT) return [];
  if (records.readInt8(MAGIC_AT) < 2) return decodeLegacy(records);
  return markAborted(await decodeRecordBatches(records, decompress), aborted);
};

/**
 * Flags the records of aborted transactions (isControlRecord as well, so that kafkajs does not deliver them). kafkajs's
 * own filter opens one aborted transaction per record, so that a fetch which begins within several of them delivers
 * what was aborted, and it ends a transaction at any record whose key is four zero bytes, marker or not.
 * The rule: a transaction of the list is open from its first offset to its producer's next marker.
 */
export const markAborted = (
  records: readonly RawRecord[],
  aborted: readonly AbortedTransaction[],
): readonly RawRecord[] => {
  if (aborted.length === 0) return records;
  const waiting = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? 1 : -1));
  const open = new Set<string>();
  return records.map((record) => {
    const { producerId, inTransaction, isControlBatch } = record.batchContext;
    for (let next = waiting.at(-1); next && next.firstOffset <= BigInt(record.offset); next = waiting.at(-1)) {
      open.add(next.producerId);
      waiting.pop();
    }
    if (isControlBatch) open.delete(producerId);
    else if (inTransaction && open.has(producerId)) return { ...record, isControlRecord: true, isAborted: true };
    return record;
  });
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
