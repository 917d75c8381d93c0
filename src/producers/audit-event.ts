import { type UuidSource, uuidV7Source } from './uuid-v7.ts';

export type EventOutcome = 'success' | 'failure' | 'pending';

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
  readonly namespace?: string | undefined;
  readonly cluster_id?: string | undefined;
  readonly severity?: string | undefined;
  readonly duration_ms?: number | undefined;
  readonly error_code?: string | undefined;
  readonly error_message?: string | undefined;
  readonly event_data: Readonly<Record<string, unknown>>;
};

/** What is said of one event beside its payload; what is left out the service's defaults say. */
export type Occasion = {
  readonly eventId: string;
  /** Unix microseconds. */
  readonly timeUs: number;
  readonly correlationId: string;
  readonly resourceId: string;
  readonly resourceType?: string;
  readonly outcome?: EventOutcome;
  readonly actor?: Actor;
  readonly actorIp?: string;
  readonly parentEventId?: string;
  readonly namespace?: string;
  readonly clusterId?: string;
  readonly severity?: string;
  readonly durationMs?: number;
  readonly errorCode?: string;
  readonly errorMessage?: string;
};

export type Actor = { readonly type: string; readonly id: string };

/** What all events of one service have in common. */
export type ServiceDefaults = { readonly category: string; readonly actor: Actor; readonly resourceType: string };

/** Makes one kind of event of its occasion and its payload. */
export type EventBuilder<Data extends object> = (occasion: Occasion, data: Data) => AuditEvent;

/** RFC 3339 in UTC with six digits of a second, of Unix microseconds from 1970 to 9999. */
export const rfc3339 = (timeUs: number): string => {
  const whole = new Date(Math.floor(timeUs / 1000)).toISOString();
  return `${whole.slice(0, 23)}${String(timeUs % 1000).padStart(3, '0')}Z`;
};

/** Begins a service's catalogue: the function that is returned defines one event type after the other. */
export const eventsOf =
  (service: ServiceDefaults) =>
  <Data extends object>(
    type: string,
    action: string,
    outcome: EventOutcome,
    special: Partial<ServiceDefaults> = {},
  ): EventBuilder<Data> => {
    const defaults = { ...service, ...special };
    return (occasion, data) => ({
      version: '1.0',
      event_id: occasion.eventId,
      event_type: type,
      event_timestamp: rfc3339(occasion.timeUs),
      event_category: defaults.category,
      event_action: action,
      event_outcome: occasion.outcome ?? outcome,
      correlation_id: occasion.correlationId,
      actor_type: (occasion.actor ?? defaults.actor).type,
      actor_id: (occasion.actor ?? defaults.actor).id,
      actor_ip: occasion.actorIp,
      resource_type: occasion.resourceType ?? defaults.resourceType,
      resource_id: occasion.resourceId,
      parent_event_id: occasion.parentEventId,
      namespace: occasion.namespace,
      cluster_id: occasion.clusterId,
      severity: occasion.severity ?? 'info',
      duration_ms: occasion.durationMs,
      error_code: occasion.errorCode,
      error_message: occasion.errorMessage,
      event_data: { event_type: type, ...data },
    });
  };

/** What a service states itself about an event; the id and the time come from where it runs. */
export type Statement = Omit<Occasion, 'eventId' | 'timeUs'>;

/**
 * Occasions of now with new ids, for services in operation. Make the event once and keep it until Kafka has
 * acknowledged it: sent again under its id it is stored once, made anew it is another event.
 */
export const occasionsOfNow = (
  options: { readonly now?: () => number; readonly newId?: UuidSource } = {},
): ((statement: Statement) => Occasion) => {
  const now = options.now ?? Date.now;
  const newId = options.newId ?? uuidV7Source({ now });
  return (statement) => ({ ...statement, eventId: newId(), timeUs: Math.floor(now() * 1000) });
};
