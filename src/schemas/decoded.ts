import type { RejectionCode } from './rejection.ts';

/**
 * What the ledger needs to know of an event beside its bytes. All strings are well-formed Unicode. `null`: the event
 * does not say (absent, JSON null or empty text).
 */
export type EventFacts = {
  /** Canonical lower-case UUID, never nil or max. */
  readonly eventId: string;
  readonly eventType: string;
  readonly category: string;
  readonly outcome: string;
  readonly correlationId: string;
  /** Unix microseconds, finer digits cut; 0 (1970) to the end of 2199, so always a safe integer. */
  readonly timeUs: number;
  readonly severity: string | null;
  readonly actorType: string | null;
  readonly actorId: string | null;
  readonly resourceType: string | null;
  readonly resourceId: string | null;
  readonly namespace: string | null;
};

/** What came over Kafka in the frame of a schema registry, of which `json` was made. */
export type Framed = {
  readonly encoding: 'avro' | 'json-schema';
  readonly schemaId: number;
  /** The record's value. */
  readonly original: Buffer;
};

export type Accepted = {
  readonly accepted: true;
  readonly facts: EventFacts;
  /** The event's JSON text as UTF-8; for plain JSON the record's own bytes, not a copy. */
  readonly json: Buffer;
  /** Absent for plain JSON. */
  readonly framed?: Framed;
  /** What is wrong with the payload, where that is told and not refused. */
  readonly doubt?: string;
};

/** A record at fault. What could be read of it is kept for the operator's filters. */
export type Rejected = {
  readonly accepted: false;
  readonly code: RejectionCode;
  /** One sentence for the operator; never holds the payload. */
  readonly message: string;
  readonly eventId?: string;
  readonly correlationId?: string;
  readonly eventType?: string;
};

export type Decoded = Accepted | Rejected;
