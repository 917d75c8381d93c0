import type { AuditEvent } from './audit-event.ts';

/** W3C Trace Context, version 00: version, trace id, parent id, flags. */
const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** The event in its trace, unless it names one or the header is none. */
export const inTrace = (event: AuditEvent, traceparent: string | undefined): AuditEvent => {
  const [, traceId, spanId] = form.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return event;
  return { ...event, trace_id: event.trace_id ?? traceId, span_id: event.span_id ?? spanId };
};

/** The header of a record whose event names a trace; none otherwise. */
export const traceHeader = ({ trace_id: traceId, span_id: spanId }: AuditEvent): Readonly<Record<string, string>> => {
  const traceparent = `00-${traceId ?? ''}-${spanId ?? ''}-01`;
  return form.test(traceparent) ? { traceparent } : {};
};
