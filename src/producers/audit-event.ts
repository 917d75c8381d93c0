import type { Actor, EventOutcome, EventType, ServiceDefaults } from '../schemas/catalogue/service.ts';

/** An audit event as it is sent: JSON.stringify makes the value of its record, and its correlation id is the key. */
export type AuditEvent = {
  readonly version: string;
  readonly event_id: string;
  readonly event_type: string;
  /** RFC 3339, UTC, microseconds. */
  readonly event_timestamp: string;
  readonly event_category: string;
  readonly event_action: string;
  readonly event_outcome: EventOutcome;
  readonly correlation_id: string;
  readonly actor_type: string;
  readonly actor_id: string;
  readonly actor_ip?: string | undefined;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly parent_event_id?: string | undefined;
  readonly trace_id?: string | undefined;
  readonly span_id?: string | undefined;
  readonly namespace?: string | undefined;
  readonly cluster_id?: string | undefined;
  readonly severity?: string | undefined;
  readonly duration_ms?: number | undefined;
  readonly error_code?: string | undefined;
  readonly error_message?: string | undefined;
  readonly event_data: Readonly<Record<string, unknown>>;
};

/** What is said of one event; what is left out, its type, its service and the clock say. */
export type Statement<Data extends object> = {
  readonly correlationId: string;
  readonly resourceId: string;
  readonly data: Data;
  /** A UUID; a new one of version 7 unless given. */
  readonly eventId?: string;
  /** Unix microseconds; now unless given. */
  readonly timeUs?: number;
  readonly resourceType?: string;
  readonly action?: string;
  readonly outcome?: EventOutcome;
  readonly actor?: Actor;
  readonly actorIp?: string;
  readonly parentEventId?: string;
  /** W3C trace context: 32 and 16 hex digits. */
  readonly traceId?: string;
  readonly spanId?: string;
  readonly namespace?: string;
  readonly clusterId?: string;
  readonly severity?: string;
  readonly durationMs?: number;
  readonly errorCode?: string;
  readonly errorMessage?: string;
};

/** When an event happens, and under which id. */
export type Moment = { readonly newId: () => string; readonly nowUs: () => number };

/** RFC 3339 in UTC with six digits of a second, of Unix microseconds from 1970 to 9999. */
export const rfc3339 = (timeUs: number): string => {
  const whole = new Date(Math.floor(timeUs / 1000)).toISOString();
  return `${whole.slice(0, 23)}${String(timeUs % 1000).padStart(3, '0')}Z`;
};

/** The event that a statement makes of its type. Nothing is checked: see validate.ts. */
export const auditEvent = (
  { type, action, outcome, ...special }: EventType,
  defaults: ServiceDefaults,
  said: Statement<object>,
  moment: Moment,
): AuditEvent => {
  const { category, actor, resourceType } = { ...defaults, ...special };
  const by = said.actor ?? actor ?? { type: '', id: '' };
  return {
    version: '1.0',
    event_id: said.eventId ?? moment.newId(),
    event_type: type,
    event_timestamp: rfc3339(said.timeUs ?? moment.nowUs()),
    event_category: category,
    event_action: said.action ?? action,
    event_outcome: said.outcome ?? outcome,
    correlation_id: said.correlationId,
    actor_type: by.type,
    actor_id: by.id,
    actor_ip: said.actorIp,
    resource_type: said.resourceType ?? resourceType,
    resource_id: said.resourceId,
    parent_event_id: said.parentEventId,
    trace_id: said.traceId,
    span_id: said.spanId,
    namespace: said.namespace,
    cluster_id: said.clusterId,
    severity: said.severity ?? 'info',
    duration_ms: said.durationMs,
    error_code: said.errorCode,
    error_message: said.errorMessage,
    event_data: { event_type: type, ...said.data },
  };
};
