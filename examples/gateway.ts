/** The gateway takes a signal in and makes a remediation request of it. Usage: node examples/gateway.ts <broker> [topic]. In a service of your own: `from 'immutrail/producer'`. */
import { connectProducer, gateway } from '../src/producer.ts';

const [broker = 'localhost:9092', topic = 'audit.events'] = process.argv.slice(2);
const audit = connectProducer({ service: 'gateway', brokers: [broker], topic });

const signal = {
  signal_type: 'alert',
  signal_name: 'PodMemoryNearLimit',
  namespace: 'checkout',
  fingerprint: '9c41e07b5d22',
} as const;
const correlationId = 'rr-9c41e07b5d22-4be1a07f';
const received = gateway.signalReceived({ correlationId, resourceId: signal.fingerprint, data: signal });
await audit.publish(received);
await audit.publish(
  gateway.crdCreated({
    correlationId,
    resourceId: correlationId,
    parentEventId: received.event_id,
    data: { ...signal, remediation_request: `checkout/${correlationId}`, occurrence_count: 1 },
  }),
);

const { unsent } = await audit.close();
if (unsent.length > 0) throw new Error(`${unsent.length} events were not sent`);
