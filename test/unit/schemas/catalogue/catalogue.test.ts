import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { payloadProblems, problemsText } from '../../../../src/schemas/catalogue/payloads.ts';
import type { Service } from '../../../../src/schemas/catalogue/service.ts';
import { eventTypeOf, eventTypes, renamedTypes, services } from '../../../../src/schemas/catalogue/services.ts';
import { decodeWith } from '../../../../src/schemas/decode.ts';
import { payloadRule } from '../../../../src/schemas/payload-rule.ts';
import { asBytes, auditEvent } from '../../../fixtures/audit-event.ts';
import { rightValues } from './samples.ts';

const types = [...eventTypes.values()];

describe('the catalogue', () => {
  test('has the types of seven services, each once, and old names that are nobody else’s', () => {
    expect(Object.keys(services)).toHaveLength(7);
    const all = Object.values<Service>(services).flatMap(({ events }) => Object.values(events).map(({ type }) => type));
    expect(new Set(all).size).toBe(all.length);
    expect(eventTypes.size).toBe(all.length);
    for (const [old, type] of renamedTypes) {
      expect(eventTypes.has(old)).toBe(false);
      expect(eventTypeOf(old)).toBe(eventTypes.get(type));
    }
    expect(renamedTypes.get('gateway.crd.creation_failed')).toBe('gateway.crd.failed');
    expect(renamedTypes.get('aianalysis.holmesgpt.call')).toBe('aianalysis.aiagent.call');
    expect(eventTypeOf('made.up')).toBeUndefined();
  });

  test.each(types.map((one) => [one.type, one] as const))('%s takes every right payload', (type, { payload }) => {
    fc.assert(
      fc.property(rightValues(payload), (data) => {
        expect(payloadProblems(type, data as Record<string, unknown>)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test.each(types.map((one) => [one.type, one] as const))('%s misses each required field', (type, { payload }) => {
    if (payload.kind !== 'fields') throw new Error('a payload has fields');
    const [right] = fc.sample(rightValues(payload), { numRuns: 1, seed: 1 }) as [Record<string, unknown>];
    for (const name of Object.keys(payload.required)) {
      const expected = [{ at: name, problem: 'is missing' }];
      expect(payloadProblems(type, { ...right, [name]: undefined })).toEqual(expected);
      expect(payloadProblems(type, { ...right, [name]: null })).toEqual(expected);
    }
    for (const name of Object.keys(payload.optional)) {
      expect(payloadProblems(type, { ...right, [name]: null })).toEqual([]);
    }
  });
});

const signal = { signal_type: 'alert', signal_name: 'A', namespace: 'n', fingerprint: 'f' };
const workflow = {
  workflow_id: 'w',
  workflow_version: '1',
  target_resource: 't',
  phase: 'Failed',
  container_image: 'i',
  execution_name: 'e',
};
const cleared = {
  workflow_name: 'w',
  clear_reason: 'nine words are one word too few for this',
  cleared_at: '2026-03-02T09:02:11Z',
  previous_state: 'Blocked',
  new_state: 'Running',
};
const details = { message: 'm', code: 'ERR_K8S_X', component: 'gateway', retry_possible: true };

describe('a payload', () => {
  const wrong: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['gateway.signal.received', { ...signal, fingerprint: '' }, 'fingerprint must have 1 to 253 characters'],
    ['gateway.signal.received', { ...signal, signal_type: 7 }, 'signal_type must be a string'],
    ['gateway.signal.received', { ...signal, deduplication_status: 'duplicate' }, 'deduplication_status must be new'],
    ['gateway.signal.received', { ...signal, signal_labels: { secret: 1 } }, 'signal_labels.* must be a string'],
    ['gateway.signal.received', { ...signal, original_payload: [] }, 'original_payload must be an object'],
    ['gateway.signal.received', { ...signal, event_type: 'x.y' }, 'event_type must be the event_type of the envelope'],
    [
      'gateway.crd.creation_failed',
      { ...signal, error_details: { ...details, component: 'me', stack_trace: Array(11).fill('f') } },
      'error_details.component must be gateway, aianalysis, workflowexecution, remediationorchestrator, signalprocessing or authwebhook; event_data.error_details.stack_trace must have at most 10 items',
    ],
    [
      'workflowexecution.workflow.failed',
      { ...workflow, failure_reason: 'Bored' },
      'failure_reason must be OOMKilled, ',
    ],
    ['workflow.failed', { ...workflow, retry_count: -1 }, 'retry_count must be a whole number from 0 on'],
    ['workflow.failed', { ...workflow, retry_count: 1.5 }, 'retry_count must be a whole number from 0 on'],
    ['workflowexecution.block.cleared', cleared, 'clear_reason must be ten words or more'],
    ['signalprocessing.error.occurred', { phase: 'Done', signal: 's', error: 'e' }, 'phase must be Pending, '],
  ];

  test.each(wrong)('of %s that is wrong: %j', (type, data, problem) => {
    expect(problemsText(payloadProblems(type, data))).toContain(`event_data.${problem}`);
  });

  test('of a type that the catalogue does not have, and unknown fields of one that it has, are not judged', () => {
    expect(payloadProblems('made.up', { a: 1 })).toEqual([]);
    expect(payloadProblems('gateway.crd.created', { ...signal, more: { a: 1 } })).toEqual([]);
    expect(payloadProblems('constructor', {})).toEqual([]);
  });

  test('names of Object.prototype are nothing special in it', () => {
    const hostile = JSON.parse('{"__proto__":{"signal_type":"alert"},"constructor":1,"toString":null}') as object;
    expect(payloadProblems('gateway.crd.created', { ...hostile })).toHaveLength(4);
  });

  test('problems tell names of our fields, never what a producer wrote', () => {
    const secret = 'sesame';
    const data = { signal_type: { secret }, signal_labels: { [secret]: { secret } }, [secret]: secret };
    expect(problemsText(payloadProblems('gateway.signal.received', data))).not.toContain(secret);
  });

  test('lengths are counted in code points', () => {
    const at = (count: number) => payloadProblems('gateway.crd.created', { ...signal, severity: '😀'.repeat(count) });
    expect(at(253)).toEqual([]);
    expect(at(254)).toHaveLength(1);
  });
});

describe('the setting', () => {
  const bad = asBytes(auditEvent({ event_data: {} }));

  test('enforce rejects, and says what could be read', () => {
    expect(decodeWith(payloadRule('enforce'))(bad)).toMatchObject({
      accepted: false,
      code: 'PAYLOAD_INVALID',
      eventType: 'gateway.signal.received',
      message: expect.stringContaining('event_data.signal_type is missing') as unknown,
    });
  });

  test('warn accepts, and tells the doubt', () => {
    expect(decodeWith(payloadRule('warn'))(bad)).toMatchObject({
      accepted: true,
      doubt: expect.stringContaining('event_data.signal_type is missing') as unknown,
    });
  });

  test('off does not look', () => {
    const decoded = decodeWith(payloadRule('off'))(bad);
    expect(decoded).toMatchObject({ accepted: true });
    expect(decoded).not.toHaveProperty('doubt');
  });

  test.each(['enforce', 'warn'] as const)('%s leaves right and unknown ones alone', (check) => {
    for (const event of [auditEvent(), auditEvent({ event_type: 'made.up', event_data: {} })]) {
      const decoded = decodeWith(payloadRule(check))(asBytes(event));
      expect(decoded).toMatchObject({ accepted: true });
      expect(decoded).not.toHaveProperty('doubt');
    }
  });
});
