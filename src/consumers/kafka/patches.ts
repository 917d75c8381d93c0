import { createRequire } from 'node:module';
import { decodeFetchResponse, type FetchDecoding, type LegacyMessage } from './fetch-response.ts';

/**
 * The only file that reaches into kafkajs (2.2.4, pinned; its last release is of 2023). Each patch says what breaks
 * without it, and has a test that fails on the day when kafkajs mends it. Only objects and prototypes are changed,
 * so the order of imports does not matter.
 */

/** What `nullHeader` does on the wire, kafkajs's producer cannot: it throws a TypeError for a header of value null. */
export const nullHeader: Buffer = Buffer.alloc(0);

const require = createRequire(import.meta.url);
const internal = (path: string): unknown => require(`kafkajs/src/${path}`) as unknown;

export type FetchErrorListener = (topic: string, partition: number, code: number) => void;
const fetchErrorListeners = new Set<FetchErrorListener>();

/**
 * kafkajs mends most errors of a fetch by itself, also the one that a topic is gone: made anew in the meantime, it is
 * read on from the old position without a word. Returns a function that ends the listening.
 */
export const onFetchError = (listener: FetchErrorListener): (() => void) => {
  fetchErrorListeners.add(listener);
  return () => void fetchErrorListeners.delete(listener);
};

let applied = false;

/** Applies every patch, once per process. Called by `kafkaClient`. */
export const applyKafkaPatches = (): void => {
  if (applied) return;
  applied = true;
  armTimerOnlyWhenPending();
  decodeFetchesStrictly();
  handOverBatchesWithoutMessages();
  writeNullHeaders();
  receiveInPlace();
  keepWorkersForWhatIsAssigned();
};

type RequestQueue = {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
};

/**
 * kafkajs arms this timer after every response, for a negative time when nothing throttles: Node makes that 1 ms, the
 * timer finds nothing and arms itself again, for ever. That costs a few percent of a core per idle process and, from
 * Node 24 on, a TimeoutNegativeWarning. A timer is of use only while requests wait.
 */
const armTimerOnlyWhenPending = (): void => {
  const { prototype } = internal('network/requestQueue') as { prototype: RequestQueue };
  const recheckMs = 10;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    const throttledMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : recheckMs,
    );
  };
};

/**
 * kafkajs's decoder of fetch responses:
 * - dies of a RangeError on a batch of more than some 125,000 records (arguments of one push);
 * - returns nothing for a batch that compaction emptied, so that the consumer asks for it again for ever;
 * - does not check checksums or lengths: a damaged batch becomes damaged records;
 * - mixes headers with what every object inherits (`constructor`), and takes minutes over 100,000 headers;
 * - delivers records of aborted transactions in two cases (see `withholding` in record-batch.ts);
 * - reports bytes that it cannot decode as whatever error that gives, without topic, partition and offset.
 */
const decodeFetchesStrictly = (): void => {
  const decoding: FetchDecoding = {
    decompress: decompressWithRegisteredCodec(),
    decodeLegacy: legacyDecoder(),
    onError: (topic, partition, code) => {
      for (const listener of fetchErrorListeners) listener(topic, partition, code);
    },
  };
  for (let version = 4; version <= 11; version += 1) {
    const response = internal(`protocol/requests/fetch/v${version}/response`) as {
      decode: (bytes: Buffer) => Promise<unknown>;
    };
    response.decode = (bytes) => decodeFetchResponse(version, bytes, decoding);
  }
};

type Codec = { decompress(bytes: Buffer): Promise<Buffer> };

const decompressWithRegisteredCodec = (): FetchDecoding['decompress'] => {
  const { lookupCodec } = internal('protocol/message/compression') as { lookupCodec: (codec: number) => Codec | null };
  return (number, bytes) => {
    const codec = lookupCodec(number);
    if (codec === null) throw new Error(`there is no codec ${number}`);
    return codec.decompress(bytes);
  };
};

type DecoderClass = new (bytes: Buffer) => object;

const legacyDecoder = (): FetchDecoding['decodeLegacy'] => {
  const Decoder = internal('protocol/decoder') as DecoderClass;
  const decodeMessageSet = internal('protocol/messageSet/decoder') as (
    decoder: object,
    size: number,
  ) => Promise<LegacyMessage[]>;
  return (bytes) => decodeMessageSet(new Decoder(bytes), bytes.length);
};

type Batch = {
  readonly rawMessages: readonly unknown[];
  isEmpty(): boolean;
  isEmptyDueToFiltering(): boolean;
};

/**
 * kafkajs moves on by itself, without a word to `eachBatch`, over a fetch that returned nothing at or above the position
 * that it asked for. Every offset must be accounted for, so that is handed over like any other: `messages` is empty,
 * `rawMessages` is not.
 */
const handOverBatchesWithoutMessages = (): void => {
  const { prototype } = internal('consumer/batch') as { prototype: Batch };
  prototype.isEmptyDueToFiltering = () => false;
  prototype.isEmpty = function () {
    return this.rawMessages.length === 0;
  };
};

type Encoder = {
  readonly writeVarInt: (value: number) => unknown;
  writeVarIntBytes: (this: Encoder, value: unknown) => unknown;
};

/**
 * kafkajs measures a header's value before it looks whether it is null, and throws. A record with such a header, which
 * every other client can send, could not be dead-lettered. `nullHeader` is measured as the empty value that it is and
 * written as null; both lengths take one byte.
 */
const writeNullHeaders = (): void => {
  const { prototype } = internal('protocol/encoder') as { prototype: Encoder };
  const original = prototype.writeVarIntBytes;
  prototype.writeVarIntBytes = function (value) {
    return value === nullHeader ? this.writeVarInt(-1) : original.call(this, value);
  };
};

type Connection = {
  readonly authHandlers: unknown;
  chunks: Buffer[];
  bytesBuffered: number;
  bytesNeeded: number;
  /** Ours: the response that is being received, and how much of it is there. */
  receiving?: { readonly bytes: Buffer; filled: number } | null;
  processData(this: Connection, chunk: Buffer): void;
};

/**
 * kafkajs keeps the chunks of a response until all have come, and then copies them into one: a fetch of 10 MB is held
 * twice, and read again when it has left the processor's caches. Once its size is known, each chunk goes to its place
 * as it comes.
 */
const receiveInPlace = (): void => {
  const { prototype } = internal('network/connection') as { prototype: Connection };
  const original = prototype.processData;
  const [least, most] = [64 * 1024, 128 * 1024 * 1024];
  prototype.processData = function (chunk) {
    const { receiving } = this;
    if (receiving) {
      const copied = chunk.copy(receiving.bytes, receiving.filled);
      receiving.filled += copied;
      if (receiving.filled < receiving.bytes.length) return;
      this.receiving = null;
      original.call(this, receiving.bytes);
      if (copied < chunk.length) this.processData(chunk.subarray(copied));
      return;
    }
    original.call(this, chunk);
    const { bytesNeeded, bytesBuffered, authHandlers } = this;
    if (authHandlers || bytesNeeded < least || bytesNeeded > most || bytesBuffered >= bytesNeeded) return;
    const bytes = Buffer.allocUnsafeSlow(bytesNeeded);
    this.receiving = { bytes, filled: Buffer.concat(this.chunks).copy(bytes) };
    this.chunks = [];
    this.bytesBuffered = 0;
  };
};

type Worker = { run(source: object): Promise<void> };
type Runner = {
  readonly consumerGroup: { assigned(): readonly { readonly partitions: readonly number[] }[] };
  readonly fetchManager: { getFetchers(): readonly { getWorkerQueue(): { getWorkers(): Worker[] } }[] };
  /** Ours: batches that are being handled. */
  handling?: number;
  fetch(this: Runner, nodeId: string): Promise<readonly unknown[]>;
  handleBatch(batch: unknown): Promise<void>;
};

/**
 * kafkajs starts every worker anew after each fetch, whether there is work for it or not, and each costs a few promises:
 * with enough of them for any number of partitions that was a sixth of all that the pipeline allocated, and half a
 * millisecond at each fetch. So a consumer is given one worker, and more are made when more partitions are assigned: one
 * for each that is being handled or may come with the next fetch, so that every batch of it is handed over at once.
 */
const keepWorkersForWhatIsAssigned = (): void => {
  type CreateWorker = (options: { handler: (batch: unknown) => Promise<void>; workerId: number }) => Worker;
  const createWorker = internal('consumer/worker') as CreateWorker;
  const { prototype } = internal('consumer/runner') as { prototype: Runner };
  const { fetch: originalFetch, handleBatch: originalHandle } = prototype;
  prototype.handleBatch = async function (batch) {
    this.handling = (this.handling ?? 0) + 1;
    try {
      await originalHandle.call(this, batch);
    } finally {
      this.handling -= 1;
    }
  };
  prototype.fetch = async function (nodeId) {
    const batches = await originalFetch.call(this, nodeId);
    const workers = this.fetchManager.getFetchers()[0]?.getWorkerQueue().getWorkers() ?? [];
    const assigned = this.consumerGroup.assigned().reduce((count, { partitions }) => count + partitions.length, 0);
    while (workers.length < assigned + (this.handling ?? 0)) {
      workers.push(createWorker({ handler: (batch) => this.handleBatch(batch), workerId: workers.length }));
    }
    return batches;
  };
};
