import { label, name, words } from './common.ts';
import { service } from './service.ts';
import { object, text, textMap } from './shape.ts';

const subject = text(2_048);
const body = text(131_072);
const message = { notification_id: name, channel: label, subject, body, priority: label };
const notice = { notification_id: name, subject, priority: label };

export const notification = service({
  title: 'Notification',
  defaults: {
    category: 'notification',
    actor: { type: 'service', id: 'notification-controller' },
    resourceType: 'NotificationRequest',
  },
  events: {
    messageSent: {
      type: 'notification.message.sent',
      says: 'A channel took the message.',
      action: 'sent',
      outcome: 'success',
      payload: object({ ...message, type: label }, { metadata: textMap }),
    },
    messageFailed: {
      type: 'notification.message.failed',
      says: 'A channel did not take the message.',
      action: 'sent',
      outcome: 'failure',
      payload: object({ ...message, error_type: label }, { error: words, metadata: textMap }),
    },
    messageAcknowledged: {
      type: 'notification.message.acknowledged',
      says: 'All channels have delivered it.',
      action: 'acknowledged',
      outcome: 'success',
      payload: object(notice, { metadata: textMap }),
    },
    messageEscalated: {
      type: 'notification.message.escalated',
      says: 'Every attempt was in vain.',
      action: 'escalated',
      outcome: 'success',
      payload: object({ ...notice, reason: words }, { metadata: textMap }),
    },
  },
});
