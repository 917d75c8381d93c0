import { describe, expect, test } from '@jest/globals';
import type { AuditEvent } from '../../../src/producers/audit-event.ts';
import { seededRandom } from '../../../src/producers/random.ts';
import { story } from '../../../src/producers/story/story.ts';
import { decodeWith } from '../../../src/schemas/decode.ts';
import { payloadRule } from '../../../src/schemas/payload-rule.ts';

const decode = decodeWith(payloadRule('enforce'));
const startMs = Date.UTC(2026, 2, 2, 8);
const stories = Array.from({ length: 200 }, (_, seed) => story(seededRandom(seed), startMs));
const typesOf = (events: readonly AuditEvent[]) => events.map((event) => event.event_type);
const isRising = (texts: readonly string[]) =>
  texts.every((text, index) => index === 0 || text > (texts[index - 1] ?? ''));

describe('a story', () => {
  test('is the same for the same seed and start', () => {
    expect(story(seededRandom(5), startMs)).toEqual(stories[5]);
    expect(stories[5]).not.toEqual(stories[6]);
  });

  test.each(stories.map((events, seed) => [seed, events] as const))('%d holds together', (_seed, events) => {
    const [first] = events;
    for (const event of events) {
      expect(decode(Buffer.from(JSON.stringify(event)))).toMatchObject({ accepted: true });
      expect(event.correlation_id).toBe(first?.correlation_id);
    }
    expect(first?.correlation_id).toMatch(/^rr-[0-9a-f]{12}-[0-9a-f]{8}$/);
    expect(isRising(events.map((event) => event.event_timestamp))).toBe(true);
    expect(isRising(events.map((event) => event.event_id))).toBe(true);
    expect(typesOf(events).slice(0, 2)).toEqual(['gateway.signal.received', 'gateway.crd.created']);
    expect(typesOf(events).at(-1)).toBe('orchestrator.lifecycle.completed');
  });

  test('names only events told before as parents', () => {
    for (const events of stories) {
      const told = new Set<string>();
      for (const { event_id, parent_event_id } of events) {
        if (parent_event_id !== undefined) expect(told.has(parent_event_id)).toBe(true);
        told.add(event_id);
      }
    }
  });

  test('tells an approval twice: who decided, and what came of it', () => {
    const decisions = stories.filter((events) => typesOf(events).includes('orchestrator.approval.requested'));
    expect(decisions.length).toBeGreaterThan(50);
    for (const events of decisions) {
      const at = typesOf(events).indexOf('webhook.remediationapprovalrequest.decided');
      expect(events[at]?.actor_type).toBe('user');
      expect(events[at + 1]?.event_type).toMatch(/^orchestrator\.approval\.(approved|rejected)$/);
      expect(events[at + 1]?.parent_event_id).toBe(events[at]?.event_id);
    }
  });

  test('comes to good and to bad ends, and all seven services tell', () => {
    const all = stories.flat();
    const ends = new Set(stories.map((events) => events.at(-1)?.event_outcome));
    expect(ends).toEqual(new Set(['success', 'failure']));
    expect(new Set(all.map((event) => event.event_type.split('.')[0]))).toEqual(
      new Set([
        'gateway',
        'signalprocessing',
        'aianalysis',
        'workflowexecution',
        'orchestrator',
        'remediation',
        'notification',
        'webhook',
      ]),
    );
    const rejected = stories.filter((events) => typesOf(events).includes('orchestrator.approval.rejected'));
    expect(rejected.length).toBeGreaterThan(0);
    for (const events of rejected) expect(typesOf(events)).not.toContain('workflowexecution.execution.started');
  });

  test('has some twenty-five events of about 1 KB', () => {
    const bytes = stories.flat().reduce((sum, event) => sum + Buffer.byteLength(JSON.stringify(event)), 0);
    const count = stories.flat().length;
    expect(count / stories.length).toBeGreaterThan(20);
    expect(count / stories.length).toBeLessThan(35);
    expect(bytes / count).toBeGreaterThan(700);
    expect(bytes / count).toBeLessThan(1_300);
  });
});
