import { hash, label, name, time, timeoutConfig, words } from './common.ts';
import { remediation } from './remediation-orchestrator.ts';
import { service } from './service.ts';
import { and, list, object, oneOf, text, textLike, yesNo } from './shape.ts';

/** RE2 would do: no part of it can match the same text in two ways. */
const tenWords = textLike(/^\s*\S+(\s+\S+){9}/, 'ten words or more', 4_096);

const workflow = object(
  { workflow_name: label, action: label },
  {
    workflow_id: label,
    catalog_status: label,
    denial_reason: words,
    workflow_content: text(131_072),
    content_hash: label,
  },
);
const actionType = object(
  { action_type_name: label, crd_name: label, crd_namespace: label, action: label },
  { previously_existed: yesNo, catalog_status: label, denial_reason: words, denial_operation: label },
);
const session = object(
  { crd_name: label, crd_namespace: label, action: label },
  { remediation_request_ref: label, denial_reason: words },
);

const ofWorkflow = { category: 'workflow', resourceType: 'RemediationWorkflow' } as const;
const ofActionType = { category: 'actiontype', resourceType: 'ActionType' } as const;
const ofSession = { category: 'agentsession', resourceType: 'AgentSession' } as const;
const admitted = { action: 'admitted', outcome: 'success' } as const;
const denied = { action: 'denied', outcome: 'failure' } as const;

export const authWebhook = service({
  title: 'AuthWebhook',
  defaults: { category: 'approval', actor: null, resourceType: 'RemediationApprovalRequest' },
  events: {
    approvalDecided: {
      type: 'webhook.remediationapprovalrequest.decided',
      was: ['remediation.approval.Approved', 'remediation.approval.Rejected'],
      says: 'A person decided about a remediation.',
      action: 'approval_decided',
      outcome: 'success',
      payload: object(
        {
          request_name: name,
          decision: oneOf('Approved', 'Rejected'),
          decided_at: time,
          decision_message: words,
          ai_analysis_ref: label,
        },
        { delegated_user: label, delegated_via: label, policy_hash: hash },
      ),
    },
    blockCleared: {
      type: 'workflowexecution.block.cleared',
      says: 'A person cleared a blocked execution.',
      action: 'block_cleared',
      outcome: 'success',
      category: 'workflowexecution',
      resourceType: 'WorkflowExecution',
      payload: object({
        workflow_name: label,
        clear_reason: tenWords,
        cleared_at: time,
        previous_state: oneOf('Blocked'),
        new_state: oneOf('Running'),
      }),
    },
    notificationCancelled: {
      type: 'webhook.notification.cancelled',
      was: ['notification.request.deleted'],
      says: 'A person took a notification back. Fail-closed: without this event it is not deleted.',
      action: 'deleted',
      outcome: 'success',
      category: 'notification',
      resourceType: 'NotificationRequest',
      payload: object({
        notification_id: name,
        type: label,
        priority: label,
        cancelled_by: label,
        user_uid: label,
        user_groups: list(1_000),
        action: label,
      }),
    },
    timeoutModified: {
      type: 'webhook.remediationrequest.timeout_modified',
      says: 'A person changed how long a remediation may take.',
      action: 'timeout_modified',
      outcome: 'success',
      category: 'orchestration',
      resourceType: 'RemediationRequest',
      payload: and(
        remediation,
        object(
          { modified_by: label, modified_at: time },
          { old_timeout_config: timeoutConfig, new_timeout_config: timeoutConfig },
        ),
      ),
    },
    workflowCreateAdmitted: {
      type: 'remediationworkflow.admitted.create',
      says: 'A workflow was taken into the catalogue.',
      payload: workflow,
      ...admitted,
      ...ofWorkflow,
    },
    workflowUpdateAdmitted: {
      type: 'remediationworkflow.admitted.update',
      says: 'A workflow in the catalogue was changed.',
      payload: workflow,
      ...admitted,
      ...ofWorkflow,
    },
    workflowDeleteAdmitted: {
      type: 'remediationworkflow.admitted.delete',
      says: 'A workflow was taken out of the catalogue.',
      payload: workflow,
      ...admitted,
      ...ofWorkflow,
    },
    workflowDenied: {
      type: 'remediationworkflow.admitted.denied',
      says: 'A change to the catalogue of workflows was refused.',
      payload: workflow,
      ...denied,
      ...ofWorkflow,
    },
    workflowRegistrationFailed: {
      type: 'authwebhook.workflow.registration_failed',
      says: 'A workflow could not be registered (severity high).',
      action: 'registration_failed',
      outcome: 'failure',
      payload: object({ workflow_name: label, reason: words, message: words }, { namespace: label }),
      ...ofWorkflow,
    },
    actionTypeCreateAdmitted: {
      type: 'actiontype.admitted.create',
      says: 'An action type was made.',
      payload: actionType,
      ...admitted,
      ...ofActionType,
    },
    actionTypeUpdateAdmitted: {
      type: 'actiontype.admitted.update',
      says: 'An action type was changed.',
      payload: actionType,
      ...admitted,
      ...ofActionType,
    },
    actionTypeDeleteAdmitted: {
      type: 'actiontype.admitted.delete',
      says: 'An action type was deleted.',
      payload: actionType,
      ...admitted,
      ...ofActionType,
    },
    actionTypeUpdateDenied: {
      type: 'actiontype.denied.update',
      says: 'The change of an action type was refused.',
      payload: actionType,
      ...denied,
      ...ofActionType,
    },
    actionTypeDeleteDenied: {
      type: 'actiontype.denied.delete',
      says: 'The deletion of an action type was refused.',
      payload: actionType,
      ...denied,
      ...ofActionType,
    },
    sessionCreateAdmitted: {
      type: 'agentsession.admitted.create',
      says: 'An agent session was opened.',
      payload: session,
      ...admitted,
      ...ofSession,
    },
    sessionCreateDenied: {
      type: 'agentsession.denied.create',
      says: 'An agent session was refused.',
      payload: session,
      ...denied,
      ...ofSession,
    },
  },
});
