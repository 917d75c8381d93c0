import { text, textLike, object, document, oneOf, whole, yesNo } from './shape.ts';

const uuid = textLike(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, 'a UUID', 36);
const instant = /^(19[789]\d|20\d\d|21\d\d)-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,30})?([Zz]|[+-]\d\d:\d\d)$/;
const dayOrInstant = new RegExp(`^\\d{4}-\\d\\d-\\d\\d$|${instant.source}`);

/**
 * The envelope of every event, as producers are held to it and as schemas and docs state it. What arrives is judged by
 * event-fields.ts, which asks the same and is held equal by test/unit/schemas/catalogue/envelope.test.ts; of optional
 * texts it also takes the empty one as absent.
 */
export const envelope = object(
  {
    version: text(20, 1),
    event_id: textLike(
      /^(?!0{8}-(0{4}-){3}0{12}$)(?![fF]{8}-([fF]{4}-){3}[fF]{12}$)[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
      'a UUID, not nil or max',
      36,
    ),
    event_type: textLike(/^[A-Za-z0-9._-]{1,100}$/, '1 to 100 of A-Z a-z 0-9 . _ -', 100),
    event_timestamp: textLike(instant, 'an RFC 3339 time with a zone, 1970 to 2199', 64),
    event_category: text(50, 1),
    event_action: text(50, 1),
    event_outcome: oneOf('success', 'failure', 'pending'),
    correlation_id: text(255, 1),
    event_data: document,
  },
  {
    actor_type: text(50),
    actor_id: text(255),
    actor_ip: text(45),
    resource_type: text(100),
    resource_id: text(255),
    resource_name: text(255),
    parent_event_id: uuid,
    parent_event_date: textLike(dayOrInstant, 'an RFC 3339 time or day', 64),
    trace_id: text(255),
    span_id: text(255),
    namespace: text(253),
    cluster_id: text(255),
    severity: text(20),
    duration_ms: whole(Number.MIN_SAFE_INTEGER),
    error_code: text(50),
    error_message: text(1_048_576),
    retention_days: whole(1, 2555),
    is_sensitive: yesNo,
  },
);
