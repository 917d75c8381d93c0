import { eventsOf } from '../audit-event.ts';
import type { ErrorDetails } from './error-details.ts';

export type Remediation = { readonly rr_name: string; readonly namespace: string };

/** Durations as text, `30m`. */
export type TimeoutConfig = {
  readonly global: string;
  readonly processing: string;
  readonly analyzing: string;
  readonly executing: string;
};

export type LifecycleCompleted = Remediation & {
  readonly outcome: string;
  readonly duration_ms: number;
  readonly crd_outcome?: string;
  readonly failure_phase?: string;
  readonly failure_reason?: string;
  readonly error_details?: ErrorDetails;
};

export type ApprovalRequested = Remediation & {
  readonly rar_name: string;
  readonly required_by: string;
  readonly workflow_id: string;
  readonly confidence_str: string;
};

export type ApprovalSettled = Remediation & { readonly rar_name: string; readonly decision: string };

export type Verification = Remediation & { readonly ea_name: string; readonly duration_ms?: number };

export type WorkflowCreated = Remediation & {
  readonly pre_remediation_spec_hash: string;
  readonly target_resource: string;
  readonly workflow_id: string;
  readonly workflow_version: string;
  readonly action_type: string;
  readonly signal_type: string;
  readonly signal_fingerprint: string;
};

const event = eventsOf({
  category: 'orchestration',
  actor: { type: 'service', id: 'remediationorchestrator-controller' },
  resourceType: 'RemediationRequest',
});

export const remediationOrchestrator = {
  lifecycleCreated: event<Remediation & { readonly timeout_config: TimeoutConfig }>(
    'orchestrator.lifecycle.created',
    'created',
    'success',
  ),
  lifecycleStarted: event<Remediation>('orchestrator.lifecycle.started', 'started', 'pending'),
  lifecycleTransitioned: event<Remediation & { readonly from_phase: string; readonly to_phase: string }>(
    'orchestrator.lifecycle.transitioned',
    'transitioned',
    'success',
  ),
  /** The end of every remediation, failed ones too: their outcome is `failure`. */
  lifecycleCompleted: event<LifecycleCompleted>('orchestrator.lifecycle.completed', 'completed', 'success'),
  verifyingStarted: event<Verification>('orchestrator.lifecycle.verifying_started', 'verifying_started', 'pending'),
  verificationCompleted: event<Verification>('orchestrator.lifecycle.verification_completed', 'completed', 'success'),
  verificationTimedOut: event<Verification>('orchestrator.lifecycle.verification_timed_out', 'expired', 'failure'),
  approvalRequested: event<ApprovalRequested>('orchestrator.approval.requested', 'approval_requested', 'pending'),
  approvalApproved: event<ApprovalSettled>('orchestrator.approval.approved', 'approved', 'success'),
  approvalRejected: event<ApprovalSettled>('orchestrator.approval.rejected', 'rejected', 'failure'),
  routingBlocked: event<Remediation>('orchestrator.routing.blocked', 'blocked', 'pending'),
  workflowCreated: event<WorkflowCreated>('remediation.workflow_created', 'workflow_created', 'success'),
};
