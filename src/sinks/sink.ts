import type { EventFacts, Framed } from '../schemas/decoded.ts';
import type { Gap, KafkaRecord, LastRecord } from '../schemas/record.ts';
import type { RedriveTag } from '../schemas/redrive-headers.ts';

/** Where the ledger stands for one partition: its newest mark, or null before the first. */
export type Standing = {
  readonly partition: number;
  /** Transaction of the mark. */
  readonly tx: bigint;
  /** First offset not covered. */
  readonly next: bigint;
  readonly last: LastRecord | null;
  /** The newest mark covers nothing, and says that the breaker holds the partition, or that a person released it. */
  readonly breaker?: { readonly isHolding: boolean; readonly by: string; readonly why: string };
};

/** A dead letter whose redrive is under way, as the ledger states it. Only the sink that read it knows its inside. */
export type Redrive = {
  readonly of: RedriveTag['of'];
  /** Transaction of the revision that was read; closing it is compare-and-set on that. */
  readonly tx: bigint;
  readonly nonce: string;
  /** Hash of the value that settles it. */
  readonly expectedSha256: string;
  /** How often its record was tried before. */
  readonly attempt: number;
};

/** What became of one record. `closes`: the redrive that this record settles, in the same transaction. */
export type Outcome = RecordOutcome & { readonly closes?: Redrive };

/** `sha256` is of the value's bytes, hex (of no bytes for a null value). */
type RecordOutcome =
  | {
      readonly kind: 'stored';
      readonly record: KafkaRecord;
      readonly facts: EventFacts;
      readonly json: Buffer;
      readonly framed?: Framed;
      /** What is wrong with the payload, where that is told and not refused. */
      readonly doubt?: string;
    }
  | { readonly kind: 'duplicate'; readonly record: KafkaRecord; readonly sha256: string; readonly eventId: string }
  | {
      readonly kind: 'dead';
      readonly record: KafkaRecord;
      readonly sha256: string;
      readonly code: string;
      readonly message: string;
      /** Where the dead letter lies on the dead-letter topic. */
      readonly dlq: { readonly partition: number; readonly offset: bigint };
      readonly eventId?: string;
      readonly correlationId?: string;
      readonly eventType?: string;
    };

/** Consecutive coverage of one partition: each offset in [first, next) is one outcome's or lies in one gap. */
export type Span = {
  readonly partition: number;
  readonly first: bigint;
  readonly next: bigint;
  readonly outcomes: readonly Outcome[];
  readonly gaps: readonly Gap[];
  readonly last: LastRecord | null;
  /** The log could not be recognised by its last record before this coverage. */
  readonly unchecked: boolean;
  /** Covers nothing: the breaker holds the partition from here on, for this reason. */
  readonly tripped?: string;
};

/** One transaction's worth of spans, of different partitions. */
export type Batch = { readonly spans: readonly Span[] };

/** An event that the ledger already holds, read with proof. */
export type StoredEvent = {
  readonly eventId: string;
  readonly tx: bigint;
  readonly json: Buffer;
};

/** Every outcome of a commit; anything else is thrown as a PipelineError. */
export type CommitOutcome =
  /** Durable in the ledger, checked against what was sent. */
  | { readonly kind: 'written'; readonly tx: bigint; readonly standings: readonly Standing[] }
  /** Nothing written: these events are in the ledger already. Sort them out and compose again. */
  | { readonly kind: 'exists'; readonly events: ReadonlyMap<string, StoredEvent> }
  /** Nothing written: an operator acted on a dead letter that the batch was to close. Look anew and compose again. */
  | { readonly kind: 'acted' }
  /** Another writer moved these partitions; nothing of this batch was written. */
  | { readonly kind: 'moved'; readonly standings: readonly Standing[] };

/** A transaction made ready, bound to the coverage that it continues. Only the sink that made it knows its inside. */
export type Composed = { readonly batch: Batch; readonly entries: number; readonly bytes: number };

/** How much more one transaction may hold. Asked before each record, so that every batch fits as composed. */
export type Budget = {
  /** False: the record does not fit any more, and the budget is spent. A first record always fits. */
  take(share: Share): boolean;
  /** As `take`, for a partition whose coverage moves over gaps alone. */
  cover(partition: number): boolean;
};

/** `facts` null: it will be a dead letter. `bytes`: what the record may come to in the ledger, beside a constant. */
export type Share = {
  readonly partition: number;
  readonly bytes: number;
  readonly facts: EventFacts | null;
  /** It may also close a dead letter. */
  readonly closes?: boolean;
};

/**
 * Where batches become durable. Retrying is not the sink's job (see with-retry): its errors say what may be retried,
 * and every call may be made again: a commit whose outcome is unknown begins by reading the ledger.
 */
export type Sink = {
  /** Reads and verifies where the ledger stands; a partition without a mark is left out. */
  open(partitions: readonly number[]): Promise<ReadonlyMap<number, Standing>>;
  budget(): Budget;
  /** The events of these ids that the ledger holds already, read with proof. */
  find(eventIds: readonly string[]): Promise<ReadonlyMap<string, StoredEvent>>;
  /** Those of these dead letters whose redrive is under way, read with proof. */
  redrives(of: readonly Redrive['of'][]): Promise<readonly Redrive[]>;
  /** Pure work, no I/O: may run while an earlier batch is being committed, and lets it breathe in between. */
  compose(batch: Batch, breathe: () => Promise<void>): Promise<Composed>;
  /** Resolves only when every record of the batch is durable in one transaction, or nothing of it is. One at a time. */
  commit(composed: Composed): Promise<CommitOutcome>;
};
