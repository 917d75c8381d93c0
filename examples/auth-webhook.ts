/** A person takes a notification back. Without the event it is not deleted. Usage: node examples/auth-webhook.ts <broker> [topic]. In a service of your own: `from 'immutrail/producer'`. */
import { connectProducer, authWebhook } from '../src/producer.ts';

const [broker = 'localhost:9092', topic = 'audit.events'] = process.argv.slice(2);
const audit = connectProducer({ service: 'auth-webhook', brokers: [broker], topic });

const deleteNotification = () => Promise.resolve();
const cancelled = authWebhook.notificationCancelled({
  correlationId: 'rr-9c41e07b5d22-4be1a07f',
  resourceId: 'nr-cart-17',
  actor: { type: 'user', id: 'user-17@example.test' },
  data: {
    notification_id: 'nr-cart-17',
    type: 'escalation',
    priority: 'High',
    cancelled_by: 'user-17@example.test',
    user_uid: 'b2f7c1e0',
    user_groups: ['on-call'],
    action: 'cancel',
  },
});
await audit.audited(cancelled, deleteNotification);

const { unsent } = await audit.close();
if (unsent.length > 0) throw new Error(`${unsent.length} events were not sent`);
