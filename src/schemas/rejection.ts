/**
 * Every reason for which a record is dead-lettered: it is at fault itself, and no waiting would help. docs/errors.md is
 * generated from this table. Codes are kept for ever: marks and dead letters in the ledger name them.
 */
export type RejectionEntry = {
  /** What it means, in one sentence. */
  readonly meaning: string;
  /** What the reader should do. */
  readonly advice: string;
};

const mend = 'Mend the producer, then send the event again under a new record, or discard the dead letter.';

export const rejectionTable = {
  // --- the bytes
  VALUE_NULL: {
    meaning: 'The record has no value (a tombstone).',
    advice: 'Find who deletes on an audit topic; the topic must not be compacted. Then discard the dead letter.',
  },
  VALUE_EMPTY: { meaning: 'The value has no bytes.', advice: mend },
  RECORD_TOO_LARGE: {
    meaning: 'The value is larger than one event may be in the ledger (1 MiB).',
    advice: 'Send large payloads elsewhere and their digest and address in the event.',
  },
  ENCODING_UNKNOWN: {
    meaning: 'The value begins with the zero byte of a schema registry frame, and no decoder for it is set up.',
    advice: 'Set up the schema registry and redrive, or let the producer send plain JSON.',
  },
  BOM_PRESENT: {
    meaning: 'The value begins with a byte order mark.',
    advice: 'Let the producer send UTF-8 without it.',
  },
  UTF8_INVALID: { meaning: 'The value is not well-formed UTF-8.', advice: mend },

  SCHEMA_FRAME_INVALID: {
    meaning: 'The value begins with the zero byte of a schema registry frame, and has no five bytes or no sound id.',
    advice: mend,
  },
  SCHEMA_UNKNOWN: {
    meaning: 'The schema registry has no schema of the id in the frame.',
    advice:
      'Find out where the producer registered it. Once the registry has it, redrive; for another registry, mend the producer.',
  },
  SCHEMA_UNUSABLE: {
    meaning: 'The schema of the id in the frame is not Avro or JSON Schema, cannot be read, or is over the limits.',
    advice: 'Register a sound schema, and let the producer send with its id.',
  },
  AVRO_INVALID: {
    meaning: 'The bytes behind the frame are not what their Avro schema says, or hold what JSON cannot say.',
    advice: mend,
  },

  // --- the document
  JSON_INVALID: { meaning: 'The value is not JSON.', advice: mend },
  JSON_NOT_OBJECT: {
    meaning: 'The value is JSON, but not an object.',
    advice: 'Send one event per record, as an object.',
  },
  UNICODE_INVALID: {
    meaning: 'A \\u escape somewhere in the document names half of a surrogate pair.',
    advice: 'Cut texts at characters, not at UTF-16 units, in the producer; then send the event again.',
  },
  KEY_DUPLICATED: {
    meaning: 'A field stands twice in the envelope, so that readers could see different events.',
    advice: mend,
  },
  DEPTH_EXCEEDED: {
    meaning: 'A value of the envelope nests deeper than 10 (event_data itself counts 1).',
    advice: 'Flatten the payload, or send the deep part as text.',
  },
  EVENT_DATA_TOO_LARGE: {
    meaning: 'event_data takes more than 256 KiB of the record.',
    advice: 'Send large payloads elsewhere and their digest and address in event_data.',
  },

  // --- the fields
  FIELD_MISSING: { meaning: 'A required field is absent or null.', advice: mend },
  FIELD_TYPE: { meaning: 'A field has another JSON type than it must have.', advice: mend },
  FIELD_LENGTH: { meaning: 'A text is empty or has more characters (code points) than its field takes.', advice: mend },
  FIELD_RANGE: { meaning: 'A number lies outside of what its field takes.', advice: mend },
  FIELD_FORMAT: { meaning: 'A text does not have the form that its field asks for.', advice: mend },
  EVENT_ID_INVALID: {
    meaning: 'event_id is not a UUID (8-4-4-4-12 hex digits), or is the nil or the max UUID.',
    advice: 'Let the producer make UUIDv7 ids; send the event again with one.',
  },
  EVENT_TYPE_INVALID: {
    meaning: 'event_type is not 1 to 100 letters, digits, dots, underscores and hyphens.',
    advice: mend,
  },
  OUTCOME_INVALID: { meaning: 'event_outcome is not success, failure or pending.', advice: mend },
  TIME_INVALID: {
    meaning: 'event_timestamp is not an RFC 3339 time with a zone from 1970 to 2199.',
    advice: mend,
  },
  PAYLOAD_INVALID: {
    meaning: 'The payload (event_data) is not what the catalogue says of its event_type.',
    advice:
      'Look up the type in docs/events.md and mend the producer. Where the payload is right and the catalogue is not, set payloads.check to warn and redrive.',
  },

  // --- the ledger
  EVENT_ID_CONFLICT: {
    meaning: 'Another event is stored under this event_id, and its content differs.',
    advice: 'Find out which producer reuses ids; keep this event with `immutrail dlq fix --new-id`.',
  },
  LEDGER_REFUSED: {
    meaning: 'The ledger refuses this record for its own sake and takes its neighbours.',
    advice: 'Read the message; it names the limit that the record breaks.',
  },
} as const satisfies Record<string, RejectionEntry>;

export type RejectionCode = keyof typeof rejectionTable;
