import { eventsOf } from '../audit-event.ts';
import type { ErrorDetails } from './error-details.ts';

export type Analysis = {
  readonly analysis_name: string;
  readonly namespace: string;
  readonly phase: string;
  readonly approval_required: boolean;
  readonly degraded_mode: boolean;
  readonly warnings_count: number;
  readonly approval_reason?: string;
  /** 0 to 1. */
  readonly confidence?: number;
  readonly workflow_id?: string;
  readonly reason?: string;
  readonly sub_reason?: string;
  readonly provider_response_summary?: {
    readonly incident_id: string;
    /** At most 500 characters. */
    readonly analysis_preview: string;
    readonly needs_human_review: boolean;
    readonly warnings_count: number;
    readonly selected_workflow_id?: string;
  };
};

export type AgentCall = {
  readonly endpoint: string;
  readonly http_status_code: number;
  readonly duration_ms: number;
};

export type ApprovalDecision = {
  readonly approval_required: boolean;
  readonly approval_reason: string;
  readonly auto_approved: boolean;
  readonly decision: string;
  readonly reason: string;
  readonly environment: string;
  readonly confidence?: number;
  readonly workflow_id?: string;
};

export type RegoEvaluation = {
  readonly outcome: string;
  readonly degraded: boolean;
  readonly duration_ms: number;
  readonly reason: string;
  readonly policy_hash?: string;
};

const event = eventsOf({
  category: 'analysis',
  actor: { type: 'service', id: 'aianalysis-controller' },
  resourceType: 'AIAnalysis',
});

export const aiAnalysis = {
  analysisCompleted: event<Analysis>('aianalysis.analysis.completed', 'analysis_complete', 'success'),
  analysisFailed: event<Analysis & { readonly error_details: ErrorDetails }>(
    'aianalysis.analysis.failed',
    'analysis_failed',
    'failure',
  ),
  phaseTransition: event<{ readonly old_phase: string; readonly new_phase: string }>(
    'aianalysis.phase.transition',
    'phase_transition',
    'success',
  ),
  /** `failure` from HTTP status 400 on. */
  agentCall: event<AgentCall>('aianalysis.aiagent.call', 'aiagent_call', 'success'),
  agentSubmit: event<AgentCall>('aianalysis.aiagent.submit', 'aiagent_submit', 'success'),
  agentResult: event<AgentCall>('aianalysis.aiagent.result', 'aiagent_result', 'success'),
  approvalDecision: event<ApprovalDecision>('aianalysis.approval.decision', 'approval_decision', 'success'),
  /** `failure` for a denial or a failed evaluation, `pending` where the policy does not know. */
  regoEvaluation: event<RegoEvaluation>('aianalysis.rego.evaluation', 'policy_evaluation', 'success'),
  errorOccurred: event<{ readonly phase: string; readonly error_message: string }>(
    'aianalysis.error.occurred',
    'error',
    'failure',
  ),
};
