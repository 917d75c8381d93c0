import type { Header } from '../schemas/record.ts';
import type { Decoder } from '../schemas/registry/decoder.ts';
import type { Ledger, Log } from '../sinks/immudb/ledger.ts';
import type { Retrying } from '../sinks/with-retry.ts';
import type { ReadLetter } from './found-letter.ts';

/** A record to be appended to the source topic. */
export type OutgoingRecord = {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
};

/** What acting on dead letters needs of ledger and Kafka. */
export type DeskPorts = {
  readonly ledger: Ledger;
  /** All lives of all topics. */
  readonly logs: readonly Log[];
  /** The present lives of the two topics. */
  readonly sourceLog: Log;
  readonly deadLetterLog: Log;
  readonly read: ReadLetter;
  /** Appends to one partition of the source topic, acks of all replicas; resolves with the offset of the first. */
  readonly append: (partition: number, records: readonly OutgoingRecord[]) => Promise<bigint>;
  /** Partitions of the source topic. */
  readonly partitions: number;
  /** Where each of them ends now. */
  readonly ends: () => Promise<ReadonlyMap<number, bigint>>;
  /** As the pipeline decodes, payloads and registry included. */
  readonly decoder: Pick<Decoder, 'prepare' | 'decode'>;
  /** Bounds the waiting for an outside that is away. */
  readonly retry: Retrying;
  /** Ids of runs and events: UUIDs of version 7. */
  readonly newId: () => string;
  /** Unix milliseconds. */
  readonly wallMs: () => number;
  /** Attempts of one record by themselves; beyond, a person must decide on each. */
  readonly maxAttempts: number;
  /** Records that a redrive sends per second unless it is told otherwise. */
  readonly perSecond: number;
};
