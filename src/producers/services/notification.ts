import { eventsOf } from '../audit-event.ts';

export type Notice = {
  readonly notification_id: string;
  readonly subject: string;
  readonly priority: string;
  readonly metadata?: Readonly<Record<string, string>>;
};

export type Message = Notice & { readonly channel: string; readonly body: string };

export type MessageFailed = Message & { readonly error_type: 'transient' | 'permanent'; readonly error?: string };

const event = eventsOf({
  category: 'notification',
  actor: { type: 'service', id: 'notification-controller' },
  resourceType: 'NotificationRequest',
});

export const notification = {
  messageSent: event<Message & { readonly type: string }>('notification.message.sent', 'sent', 'success'),
  messageFailed: event<MessageFailed>('notification.message.failed', 'sent', 'failure'),
  /** All channels have delivered it. */
  messageAcknowledged: event<Notice>('notification.message.acknowledged', 'acknowledged', 'success'),
  /** Every attempt has been made in vain. */
  messageEscalated: event<Notice & { readonly reason: string }>(
    'notification.message.escalated',
    'escalated',
    'success',
  ),
};
