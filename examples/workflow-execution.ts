/** A workflow must not run unaudited: it starts only when its event is on Kafka. Usage: node examples/workflow-execution.ts <broker> [topic]. In a service of your own: `from 'immutrail/producer'`. */
import { connectProducer, workflowExecution } from '../src/producer.ts';

const [broker = 'localhost:9092', topic = 'audit.events'] = process.argv.slice(2);
const audit = connectProducer({ service: 'workflow-execution', brokers: [broker], topic });

const runWorkflow = () => Promise.resolve('wfe-4be1a07f-run');
const started = workflowExecution.executionStarted({
  correlationId: 'rr-9c41e07b5d22-4be1a07f',
  resourceId: 'wfe-4be1a07f',
  data: {
    workflow_id: 'wf-raise-memory',
    workflow_version: '2.3.0',
    target_resource: 'checkout/deployment/cart-svc',
    phase: 'Running',
    container_image: 'example.test/actions:7',
    execution_name: 'wfe-4be1a07f',
    parameters: { memoryLimit: '768Mi' },
  },
});
const run = await audit.audited(started, runWorkflow);
console.error(`runs as ${run}`);

const { unsent } = await audit.close();
if (unsent.length > 0) throw new Error(`${unsent.length} events were not sent`);
