import { errorDetails, label, name, reference, timeoutConfig, words } from './common.ts';
import { service } from './service.ts';
import { and, object, text, whole, yesNo } from './shape.ts';

export const remediation = object({ rr_name: name, namespace: label });

const settled = and(remediation, object({}, { rar_name: label, decision: label }));
const verification = and(remediation, object({}, { ea_name: label, duration_ms: whole(0) }));

export const remediationOrchestrator = service({
  title: 'RemediationOrchestrator',
  defaults: {
    category: 'orchestration',
    actor: { type: 'service', id: 'remediationorchestrator-controller' },
    resourceType: 'RemediationRequest',
  },
  events: {
    lifecycleCreated: {
      type: 'orchestrator.lifecycle.created',
      says: 'A remediation was taken up.',
      action: 'created',
      outcome: 'success',
      payload: and(remediation, object({}, { timeout_config: timeoutConfig })),
    },
    lifecycleStarted: {
      type: 'orchestrator.lifecycle.started',
      says: 'A remediation began.',
      action: 'started',
      outcome: 'pending',
      payload: remediation,
    },
    lifecycleTransitioned: {
      type: 'orchestrator.lifecycle.transitioned',
      was: ['orchestrator.phase.transitioned'],
      says: 'A remediation went from one phase to the next.',
      action: 'transitioned',
      outcome: 'success',
      payload: and(remediation, object({}, { from_phase: label, to_phase: label })),
    },
    lifecycleCompleted: {
      type: 'orchestrator.lifecycle.completed',
      was: ['orchestrator.lifecycle.failed'],
      says: 'The end of every remediation, failed ones too: their outcome is failure.',
      action: 'completed',
      outcome: 'success',
      payload: and(
        remediation,
        object(
          {},
          {
            outcome: label,
            duration_ms: whole(0),
            crd_outcome: label,
            failure_phase: label,
            failure_reason: words,
            error_details: errorDetails,
          },
        ),
      ),
    },
    verifyingStarted: {
      type: 'orchestrator.lifecycle.verifying_started',
      says: 'Watching whether the workload recovers began.',
      action: 'verifying_started',
      outcome: 'pending',
      payload: verification,
    },
    verificationCompleted: {
      type: 'orchestrator.lifecycle.verification_completed',
      says: 'The workload has recovered.',
      action: 'completed',
      outcome: 'success',
      payload: verification,
    },
    verificationTimedOut: {
      type: 'orchestrator.lifecycle.verification_timed_out',
      says: 'The workload did not recover in time.',
      action: 'expired',
      outcome: 'failure',
      payload: verification,
    },
    approvalRequested: {
      type: 'orchestrator.approval.requested',
      says: 'A person was asked.',
      action: 'approval_requested',
      outcome: 'pending',
      payload: and(
        remediation,
        object({}, { rar_name: label, required_by: label, workflow_id: label, confidence_str: label }),
      ),
    },
    approvalApproved: {
      type: 'orchestrator.approval.approved',
      says: 'The remediation may go on.',
      action: 'approved',
      outcome: 'success',
      payload: settled,
    },
    approvalRejected: {
      type: 'orchestrator.approval.rejected',
      says: 'The remediation may not go on, or nobody answered in time (action expired).',
      action: 'rejected',
      outcome: 'failure',
      payload: settled,
    },
    routingBlocked: {
      type: 'orchestrator.routing.blocked',
      says: 'The remediation waits because something blocks its workload.',
      action: 'blocked',
      outcome: 'pending',
      payload: remediation,
    },
    assessmentCreated: {
      type: 'orchestrator.ea.created',
      says: 'An assessment of the effect was ordered.',
      action: 'ea_created',
      outcome: 'success',
      payload: and(remediation, object({}, { ea_name: label, is_gitops_managed: yesNo, is_crd: yesNo })),
    },
    workflowCreated: {
      type: 'remediation.workflow_created',
      says: 'A workflow was ordered for the remediation.',
      action: 'workflow_created',
      outcome: 'success',
      payload: and(
        remediation,
        object(
          {},
          {
            pre_remediation_spec_hash: text(253),
            target_resource: reference,
            workflow_id: label,
            workflow_version: label,
            action_type: label,
            signal_type: label,
            signal_fingerprint: label,
          },
        ),
      ),
    },
  },
});
