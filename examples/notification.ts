/** A channel does not take a message. Usage: node examples/notification.ts <broker> [topic]. In a service of your own: `from 'immutrail/producer'`. */
import { connectProducer, notification } from '../src/producer.ts';

const [broker = 'localhost:9092', topic = 'audit.events'] = process.argv.slice(2);
const audit = connectProducer({ service: 'notification', brokers: [broker], topic });

await audit.publish(
  notification.messageFailed({
    correlationId: 'rr-9c41e07b5d22-4be1a07f',
    resourceId: 'nr-cart-17',
    severity: 'warning',
    errorMessage: '429 from provider',
    data: {
      notification_id: 'nr-cart-17',
      channel: 'slack',
      subject: 'Remediation failed',
      body: 'The workflow ended with DeadlineExceeded.',
      priority: 'High',
      error_type: 'transient',
      error: '429 from provider',
    },
  }),
);

const { unsent } = await audit.close();
if (unsent.length > 0) throw new Error(`${unsent.length} events were not sent`);
