/** The orchestrator moves a remediation on, within the trace of what it works on. Usage: node examples/remediation-orchestrator.ts <broker> [topic]. In a service of your own: `from 'immutrail/producer'`. */
import { connectProducer, remediationOrchestrator } from '../src/producer.ts';

const [broker = 'localhost:9092', topic = 'audit.events'] = process.argv.slice(2);
const audit = connectProducer({ service: 'remediation-orchestrator', brokers: [broker], topic });

await audit.publish(
  remediationOrchestrator.lifecycleTransitioned({
    correlationId: 'rr-9c41e07b5d22-4be1a07f',
    resourceId: 'rr-9c41e07b5d22-4be1a07f',
    data: {
      rr_name: 'rr-9c41e07b5d22-4be1a07f',
      namespace: 'checkout',
      from_phase: 'Analyzing',
      to_phase: 'Executing',
    },
  }),
  { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' },
);

const { unsent } = await audit.close();
if (unsent.length > 0) throw new Error(`${unsent.length} events were not sent`);
