import type { Gap } from '../consumers/source.ts';
import type { EventFacts } from '../schemas/decoded.ts';
import type { KafkaRecord } from '../schemas/record.ts';

/** The last record that a partition's coverage saw, carried forward over gaps: the log's identity rests on it. */
export type LastRecord = { readonly offset: bigint; readonly timestamp: bigint; readonly sha256: string };

/** Where the ledger stands for one partition: its newest mark, or null before the first. */
export type Standing = {
  readonly partition: number;
  /** Transaction of the mark. */
  readonly tx: bigint;
  /** First offset not covered. */
  readonly next: bigint;
  readonly last: LastRecord | null;
};

/** What became of one record. `sha256` is of the value's bytes, hex (of no bytes for a null value). */
export type Outcome =
  | {
      readonly kind: 'stored';
      readonly record: KafkaRecord;
      readonly sha256: string;
      readonly facts: EventFacts;
      readonly json: Buffer;
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
};

/** One transaction's worth of spans, of different partitions. */
export type Batch = { readonly spans: readonly Span[] };

/** An event that the ledger already holds, read with proof. */
export type StoredEvent = { readonly eventId: string; readonly tx: bigint; readonly sha256: string; readonly json: Buffer };

/** Every outcome of a commit; anything else is thrown as a PipelineError. */
export type CommitOutcome =
  /** Durable in the ledger, checked against what was sent. */
  | { readonly kind: 'written'; readonly tx: bigint; readonly standings: readonly Standing[] }
  /** Nothing written: these events are in the ledger already. Sort them out and compose again. */
  | { readonly kind: 'exists'; readonly events: ReadonlyMap<string, StoredEvent> }
  /** Another writer moved these partitions; nothing of this batch was written. */
  | { readonly kind: 'moved'; readonly standings: readonly Standing[] };
