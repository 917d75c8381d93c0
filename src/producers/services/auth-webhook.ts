import { type Actor, type AuditEvent, type Occasion, type ServiceDefaults, eventsOf } from '../audit-event.ts';
import type { Remediation, TimeoutConfig } from './remediation-orchestrator.ts';

export type BlockCleared = {
  readonly workflow_name: string;
  /** Ten words or more. */
  readonly clear_reason: string;
  readonly cleared_at: string;
  readonly previous_state: 'Blocked';
  readonly new_state: 'Running';
};

export type ApprovalDecided = {
  readonly request_name: string;
  readonly decision: 'Approved' | 'Rejected';
  readonly decided_at: string;
  readonly decision_message: string;
  readonly ai_analysis_ref: string;
  readonly delegated_user?: string;
  readonly delegated_via?: string;
  readonly policy_hash?: string;
};

export type NotificationCancelled = {
  readonly notification_id: string;
  readonly type: string;
  readonly priority: string;
  readonly cancelled_by: string;
  readonly user_uid: string;
  readonly user_groups: readonly string[];
  readonly action: string;
};

export type TimeoutModified = Remediation & {
  readonly modified_by: string;
  readonly modified_at: string;
  readonly old_timeout_config?: TimeoutConfig;
  readonly new_timeout_config?: TimeoutConfig;
};

/** The actor is the authenticated user: there is no default for it, every occasion names it. */
type ByUser<Data extends object> = (occasion: Occasion & { readonly actor: Actor }, data: Data) => AuditEvent;

const define = eventsOf({
  category: 'approval',
  actor: { type: 'user', id: '' },
  resourceType: 'RemediationApprovalRequest',
});
const event = <Data extends object>(
  type: string,
  action: string,
  special: Partial<ServiceDefaults> = {},
): ByUser<Data> => define<Data>(type, action, 'success', special);

export const authWebhook = {
  approvalDecided: event<ApprovalDecided>('webhook.remediationapprovalrequest.decided', 'approval_decided'),
  blockCleared: event<BlockCleared>('workflowexecution.block.cleared', 'block_cleared', {
    category: 'workflowexecution',
    resourceType: 'WorkflowExecution',
  }),
  notificationCancelled: event<NotificationCancelled>('webhook.notification.cancelled', 'deleted', {
    category: 'notification',
    resourceType: 'NotificationRequest',
  }),
  timeoutModified: event<TimeoutModified>('webhook.remediationrequest.timeout_modified', 'timeout_modified', {
    category: 'orchestration',
    resourceType: 'RemediationRequest',
  }),
};
