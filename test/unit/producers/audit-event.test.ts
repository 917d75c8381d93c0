import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Occasion, eventsOf, occasionsOfNow, rfc3339 } from '../../../src/producers/audit-event.ts';
import { aiAnalysis } from '../../../src/producers/services/ai-analysis.ts';
import { authWebhook } from '../../../src/producers/services/auth-webhook.ts';
import { gateway } from '../../../src/producers/services/gateway.ts';
import { notification } from '../../../src/producers/services/notification.ts';
import { remediationOrchestrator } from '../../../src/producers/services/remediation-orchestrator.ts';
import { signalProcessing } from '../../../src/producers/services/signal-processing.ts';
import { workflowExecution } from '../../../src/producers/services/workflow-execution.ts';
import { decode } from '../../../src/schemas/decode.ts';
import { maxEventTimeUs, parseEventTime } from '../../../src/schemas/event-time.ts';

const occasion = {
  eventId: '0195a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b',
  timeUs: 1_772_439_245_120_007,
  correlationId: 'rr-9c41e07b5d22-4be1a07f',
  resourceId: 'cart-svc',
  actor: { type: 'user', id: 'ana@example.test' },
} satisfies Occasion;

test('a time is written so that it is read back to the microsecond', () => {
  expect(rfc3339(occasion.timeUs)).toBe('2026-03-02T08:14:05.120007Z');
  fc.assert(fc.property(fc.integer({ min: 0, max: maxEventTimeUs }), (us) => parseEventTime(rfc3339(us)) === us));
});

const catalogues = {
  gateway,
  signalProcessing,
  aiAnalysis,
  workflowExecution,
  remediationOrchestrator,
  notification,
  authWebhook,
};
const builders = Object.entries(catalogues).flatMap(([service, catalogue]) =>
  Object.entries(catalogue).map(([name, build]) => [`${service}.${name}`, build] as const),
);

describe('every event of the seven services', () => {
  test.each(builders)('%s is accepted, with the type in its payload', (_name, build) => {
    const event = (build as ReturnType<ReturnType<typeof eventsOf>>)(occasion, { told: true });
    const decoded = decode(Buffer.from(JSON.stringify(event)));
    expect(decoded).toMatchObject({
      accepted: true,
      facts: { eventId: occasion.eventId, eventType: event.event_type, timeUs: occasion.timeUs, actorType: 'user' },
    });
    expect(event.event_data).toEqual({ event_type: event.event_type, told: true });
  });

  test('has a type of its own', () => {
    const types = builders.map(
      ([, build]) => (build as ReturnType<ReturnType<typeof eventsOf>>)(occasion, {}).event_type,
    );
    expect(new Set(types).size).toBe(types.length);
  });
});

test('an occasion replaces the defaults of its service', () => {
  const define = eventsOf({ category: 'c', actor: { type: 'service', id: 's' }, resourceType: 'R' });
  const build = define<{ a: number }>('x.y', 'done', 'success', { resourceType: 'Special' });
  const { eventId, timeUs, correlationId, resourceId } = occasion;
  const plain = { eventId, timeUs, correlationId, resourceId };
  expect(build(plain, { a: 1 })).toMatchObject({ actor_id: 's', resource_type: 'Special', event_outcome: 'success' });
  expect(
    build({ ...occasion, outcome: 'failure', resourceType: 'Other', severity: 'error', durationMs: 3 }, { a: 1 }),
  ).toMatchObject({
    actor_id: 'ana@example.test',
    resource_type: 'Other',
    event_outcome: 'failure',
    severity: 'error',
    duration_ms: 3,
  });
});

test('occasions of now have the time of the clock and an id of that time', () => {
  const next = occasionsOfNow({ now: () => 1_772_439_245_120 });
  const [first, second] = [
    next({ correlationId: 'c', resourceId: 'r' }),
    next({ correlationId: 'c', resourceId: 'r' }),
  ];
  expect(first).toMatchObject({ timeUs: 1_772_439_245_120_000, correlationId: 'c', resourceId: 'r' });
  expect(second.eventId > first.eventId).toBe(true);
});
