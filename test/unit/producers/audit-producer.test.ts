import { describe, expect, test } from '@jest/globals';
import { PipelineError } from '../../../src/errors.ts';
import { type AuditProducerOptions, auditProducer } from '../../../src/producers/audit-producer.ts';
import { remediationOrchestrator } from '../../../src/producers/builders.ts';
import type { OutgoingMessage } from '../../../src/producers/publish.ts';
import { until } from '../../support/until.ts';

const event = (more: object = {}) =>
  remediationOrchestrator.lifecycleStarted({
    correlationId: 'rr-1',
    resourceId: 'rr-1',
    data: { rr_name: 'rr-1', namespace: 'n' },
    ...more,
  });
const outage = () => Promise.reject(new PipelineError('KAFKA_UNAVAILABLE', 'away'));

/** A Kafka of which each call waits until it is let through. */
const setUp = (options: Partial<AuditProducerOptions> = {}) => {
  const sent: OutgoingMessage[][] = [];
  const state: { answer: (messages: readonly OutgoingMessage[]) => Promise<void> } = {
    answer: () => Promise.resolve(),
  };
  const producer = auditProducer({
    topic: 't',
    service: 'tests',
    send: async (_, messages) => {
      await state.answer(messages);
      sent.push([...messages]);
    },
    ...options,
  });
  return { producer, sent, state };
};

describe('a producer', () => {
  test('publishes under the correlation id, and resolves on the acknowledgement only', async () => {
    const { producer, sent, state } = setUp();
    const gate = Promise.withResolvers<undefined>();
    state.answer = () => gate.promise;
    let isDone = false;
    const published = producer.publish(event()).then(() => (isDone = true));
    await until(() => producer.metrics().includes('audit_buffer_size{service="tests"} 1'), {
      timeoutMs: 5_000,
      what: 'it to be taken',
    });
    expect(isDone).toBe(false);
    gate.resolve(undefined);
    await published;
    expect(sent.flat()).toMatchObject([{ key: 'rr-1', headers: { source: 'tests' } }]);
    expect(producer.metrics()).toContain('audit_events_written_total{service="tests"} 1');
    expect(await producer.close()).toEqual({ unsent: [] });
  });

  test('tells all problems of an event at once, and sends nothing of it', async () => {
    const { producer, sent } = setUp();
    const wrong = { ...event({ correlationId: '' }), event_id: 'x', event_data: { namespace: 7 } };
    await expect(producer.publish(wrong)).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringMatching(
        /event_id must .*correlation_id must .*event_data.namespace must .*event_data.rr_name is missing/,
      ) as unknown,
    });
    const large = event({ data: { rr_name: 'r', namespace: 'n', log: 'x'.repeat(262_144) } });
    await expect(producer.publish(large)).rejects.toThrow(/event_data has \d+ bytes/);
    const deep = event({
      data: { rr_name: 'r', namespace: 'n', deep: JSON.parse(`${'['.repeat(10)}${']'.repeat(10)}`) as unknown },
    });
    await expect(producer.publish(deep)).rejects.toThrow(/nests/);
    const half = event({ data: { rr_name: '\ud800', namespace: 'n' } });
    await expect(producer.publish(half)).rejects.toThrow(/surrogate/);
    expect(sent).toEqual([]);
  });

  test('tries again through an outage, in order', async () => {
    const { producer, sent, state } = setUp();
    let calls = 0;
    state.answer = () => (++calls < 3 ? outage() : Promise.resolve());
    const events = [event(), event(), event()];
    await Promise.all(events.map((one) => producer.publish(one)));
    expect(calls).toBe(3);
    const ids = sent.flat().map(({ value }) => (JSON.parse(String(value)) as { event_id: string }).event_id);
    expect(ids).toEqual(events.map(({ event_id }) => event_id));
    expect(producer.metrics()).toContain('audit_batches_failed_total{service="tests"} 2');
  });

  test('gives an event up after its time, tells so, and goes on', async () => {
    const { producer, state } = setUp({ deliveryTimeoutMs: 50 });
    state.answer = outage;
    await expect(producer.publish(event())).rejects.toMatchObject({ code: 'EVENT_UNSENT' });
    state.answer = () => Promise.resolve();
    await producer.publish(event());
  });

  test('an event that Kafka refuses for good goes alone, its neighbours are sent', async () => {
    const { producer, sent, state } = setUp();
    const bad = event({ correlationId: 'bad' });
    state.answer = (messages) =>
      messages.some(({ key }) => key === 'bad')
        ? Promise.reject(new PipelineError('EVENT_REFUSED', 'too large'))
        : Promise.resolve();
    const results = await Promise.allSettled([event(), bad, event()].map((one) => producer.publish(one)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(sent.flat()).toHaveLength(2);
  });

  test('with a full buffer refuses, or waits, as it was told; nothing is dropped', async () => {
    const refusing = setUp({ whenFull: 'refuse', maxBufferedEvents: 2 });
    const gate = Promise.withResolvers<undefined>();
    refusing.state.answer = () => gate.promise;
    const taken = [refusing.producer.publish(event()), refusing.producer.publish(event())];
    await expect(refusing.producer.publish(event())).rejects.toMatchObject({ code: 'PRODUCER_FULL' });
    gate.resolve(undefined);
    await Promise.all(taken);

    const waiting = setUp({ maxBufferedBytes: 900 });
    await Promise.all(Array.from({ length: 50 }, () => waiting.producer.publish(event())));
    expect(waiting.sent.flat()).toHaveLength(50);
  });

  test('flush waits for what was taken; close names what was not sent, and takes no more', async () => {
    const { producer, state } = setUp();
    const gate = Promise.withResolvers<undefined>();
    state.answer = () => gate.promise;
    const first = event();
    const published = producer.publish(first);
    await until(() => producer.metrics().includes('size{service="tests"} 1'), {
      timeoutMs: 5_000,
      what: 'it to be taken',
    });
    const flushed = producer.flush();
    gate.resolve(undefined);
    expect(await flushed).toEqual({ unsent: [] });
    await published;
    state.answer = outage;
    const lost = event();
    const rejected = expect(producer.publish(lost)).rejects.toMatchObject({ code: 'EVENT_UNSENT' });
    await until(() => producer.metrics().includes('size{service="tests"} 1'), {
      timeoutMs: 5_000,
      what: 'it to be taken',
    });
    expect(await producer.close({ deadlineMs: 50 })).toEqual({ unsent: [lost] });
    await rejected;
    await expect(producer.publish(event())).rejects.toMatchObject({ code: 'PRODUCER_CLOSED' });
  });

  test('fail-closed: what could not be audited is not done', async () => {
    const { producer, state } = setUp({ deliveryTimeoutMs: 30 });
    let acts = 0;
    const act = () => Promise.resolve(++acts);
    expect(await producer.audited(event(), act)).toBe(1);
    state.answer = outage;
    await expect(producer.audited(event(), act)).rejects.toMatchObject({ code: 'EVENT_UNSENT' });
    expect(acts).toBe(1);
  });

  test('carries the trace in the event and in the header', async () => {
    const trace = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;
    const { producer, sent } = setUp({ currentTrace: () => trace });
    await producer.publish(event());
    await producer.publish(event(), { traceparent: 'nonsense' });
    const [one, other] = sent.flat();
    expect(one?.headers['traceparent']).toBe(trace);
    expect(JSON.parse(String(one?.value))).toMatchObject({ trace_id: 'a1'.repeat(16), span_id: 'b2'.repeat(8) });
    expect(other?.headers).toEqual({ source: 'tests' });
  });
});
