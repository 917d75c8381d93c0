/** An analysis ends with a workflow that a person must approve. Usage: node examples/ai-analysis.ts <broker> [topic]. In a service of your own: `from 'immutrail/producer'`. */
import { connectProducer, aiAnalysis } from '../src/producer.ts';

const [broker = 'localhost:9092', topic = 'audit.events'] = process.argv.slice(2);
const audit = connectProducer({ service: 'ai-analysis', brokers: [broker], topic });

await audit.publish(
  aiAnalysis.analysisCompleted({
    correlationId: 'rr-9c41e07b5d22-4be1a07f',
    resourceId: 'aia-cart-4be1a07f',
    data: {
      analysis_name: 'aia-cart-4be1a07f',
      namespace: 'checkout',
      phase: 'Completed',
      approval_required: true,
      approval_reason: 'production change',
      degraded_mode: false,
      warnings_count: 1,
      confidence: 0.87,
      workflow_id: 'wf-raise-memory',
    },
  }),
);

const { unsent } = await audit.close();
if (unsent.length > 0) throw new Error(`${unsent.length} events were not sent`);
