/** Signal processing classifies a signal by a policy. Usage: node examples/signal-processing.ts <broker> [topic]. In a service of your own: `from 'immutrail/producer'`. */
import { connectProducer, signalProcessing } from '../src/producer.ts';

const [broker = 'localhost:9092', topic = 'audit.events'] = process.argv.slice(2);
const audit = connectProducer({ service: 'signal-processing', brokers: [broker], topic });

await audit.publish(
  signalProcessing.classificationDecision({
    correlationId: 'rr-9c41e07b5d22-4be1a07f',
    resourceId: 'sp-cart-4be1a07f',
    durationMs: 38,
    data: {
      phase: 'Classifying',
      signal: 'PodMemoryNearLimit',
      external_severity: 'Sev2',
      normalized_severity: 'high',
      determination_source: 'rego-policy',
      environment: 'production',
      priority: 'P1',
    },
  }),
);

const { unsent } = await audit.close();
if (unsent.length > 0) throw new Error(`${unsent.length} events were not sent`);
