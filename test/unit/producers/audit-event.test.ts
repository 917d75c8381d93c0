import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type AuditEvent, rfc3339, type Statement } from '../../../src/producers/audit-event.ts';
import * as builders from '../../../src/producers/builders.ts';
import { services } from '../../../src/schemas/catalogue/services.ts';
import { decode } from '../../../src/schemas/decode.ts';
import { maxEventTimeUs, parseEventTime } from '../../../src/schemas/event-time.ts';

type Build = (statement: Statement<object>) => AuditEvent;

const said = {
  eventId: '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
  timeUs: 1_772_439_245_120_007,
  correlationId: 'rr-9c41e07b5d22-4be1a07f',
  resourceId: 'cart-svc',
  actor: { type: 'user', id: 'ana@example.test' },
};

test('a time is written so that it is read back to the microsecond', () => {
  expect(rfc3339(said.timeUs)).toBe('2026-03-02T08:14:05.120007Z');
  fc.assert(fc.property(fc.integer({ min: 0, max: maxEventTimeUs }), (us) => parseEventTime(rfc3339(us)) === us));
});

const all = Object.entries(services).flatMap(([service, { events }]) =>
  Object.keys(events).map((name) => {
    const ofService = builders[service as keyof typeof services] as unknown as Record<string, Build>;
    return [`${service}.${name}`, ofService[name]!] as const;
  }),
);

describe('every event of the seven services', () => {
  test('has a builder', () => {
    expect(all.length).toBe(59);
    for (const [, build] of all) expect(typeof build).toBe('function');
  });

  test.each(all)('%s is accepted, with the type in its payload', (_name, build) => {
    const event = build({ ...said, data: { told: true } });
    const decoded = decode(Buffer.from(JSON.stringify(event)));
    expect(decoded).toMatchObject({
      accepted: true,
      facts: { eventId: said.eventId, eventType: event.event_type, timeUs: said.timeUs, actorType: 'user' },
    });
    expect(event.event_data).toEqual({ event_type: event.event_type, told: true });
  });
});

test('a statement replaces the defaults of type and service', () => {
  const data = { signal_type: 'alert', signal_name: 'A', namespace: 'n', fingerprint: 'f' };
  const { correlationId, resourceId } = said;
  expect(builders.gateway.signalReceived({ correlationId, resourceId, data })).toMatchObject({
    event_category: 'gateway',
    event_action: 'received',
    actor_type: 'external',
    resource_type: 'Signal',
    event_outcome: 'success',
    severity: 'info',
  });
  const special = { ...said, outcome: 'failure', resourceType: 'Other', severity: 'error', durationMs: 3 } as const;
  expect(builders.gateway.signalReceived({ ...special, traceId: 't', data })).toMatchObject({
    actor_id: 'ana@example.test',
    resource_type: 'Other',
    event_outcome: 'failure',
    severity: 'error',
    duration_ms: 3,
    trace_id: 't',
  });
});

test('events of now have the time of the clock and rising ids', () => {
  const before = Date.now() * 1000;
  const { correlationId, resourceId } = said;
  const build = () =>
    builders.remediationOrchestrator.lifecycleStarted({
      correlationId,
      resourceId,
      data: { rr_name: 'r', namespace: 'n' },
    });
  const [first, second] = [build(), build()];
  expect(second.event_id > first.event_id).toBe(true);
  expect(parseEventTime(first.event_timestamp)).toBeGreaterThanOrEqual(before);
});
