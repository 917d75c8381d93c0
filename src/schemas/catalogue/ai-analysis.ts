import { errorDetails, hash, label, name, reference, words } from './common.ts';
import { service } from './service.ts';
import { and, fraction, object, text, whole, yesNo } from './shape.ts';

const analysis = object(
  {
    analysis_name: name,
    namespace: label,
    phase: label,
    approval_required: yesNo,
    degraded_mode: yesNo,
    warnings_count: whole(0),
  },
  {
    approval_reason: words,
    confidence: fraction(0, 1),
    workflow_id: label,
    reason: words,
    sub_reason: words,
    provider_response_summary: object(
      { incident_id: label, analysis_preview: text(500), needs_human_review: yesNo, warnings_count: whole(0) },
      { selected_workflow_id: label },
    ),
  },
);

const agentCall = object({ endpoint: reference, http_status_code: whole(0, 599), duration_ms: whole(0) });

export const aiAnalysis = service({
  title: 'AIAnalysis',
  defaults: {
    category: 'analysis',
    actor: { type: 'service', id: 'aianalysis-controller' },
    resourceType: 'AIAnalysis',
  },
  events: {
    analysisCompleted: {
      type: 'aianalysis.analysis.completed',
      says: 'An analysis came to its end.',
      action: 'analysis_complete',
      outcome: 'success',
      payload: analysis,
    },
    analysisFailed: {
      type: 'aianalysis.analysis.failed',
      says: 'An analysis came to no result.',
      action: 'analysis_failed',
      outcome: 'failure',
      payload: and(analysis, object({}, { error_details: errorDetails })),
    },
    phaseTransition: {
      type: 'aianalysis.phase.transition',
      says: 'An analysis went from one phase to the next.',
      action: 'phase_transition',
      outcome: 'success',
      payload: object({ old_phase: label, new_phase: label }),
    },
    agentCall: {
      type: 'aianalysis.aiagent.call',
      was: ['aianalysis.holmesgpt.call'],
      says: 'The agent was asked; the outcome is failure from HTTP status 400 on.',
      action: 'aiagent_call',
      outcome: 'success',
      payload: agentCall,
    },
    agentSubmit: {
      type: 'aianalysis.aiagent.submit',
      says: 'A question was handed to the agent.',
      action: 'aiagent_submit',
      outcome: 'success',
      payload: agentCall,
    },
    agentResult: {
      type: 'aianalysis.aiagent.result',
      says: 'The answer of the agent was fetched.',
      action: 'aiagent_result',
      outcome: 'success',
      payload: agentCall,
    },
    approvalDecision: {
      type: 'aianalysis.approval.decision',
      says: 'Whether a person must approve was decided.',
      action: 'approval_decision',
      outcome: 'success',
      payload: object(
        {
          approval_required: yesNo,
          approval_reason: words,
          auto_approved: yesNo,
          decision: label,
          reason: words,
          environment: label,
        },
        { confidence: fraction(0, 1), workflow_id: label },
      ),
    },
    regoEvaluation: {
      type: 'aianalysis.rego.evaluation',
      says: 'A policy was evaluated: denied or failed is failure, unknown is pending.',
      action: 'policy_evaluation',
      outcome: 'success',
      payload: object({ outcome: label, degraded: yesNo, duration_ms: whole(0), reason: words }, { policy_hash: hash }),
    },
    errorOccurred: {
      type: 'aianalysis.error.occurred',
      says: 'Something failed during an analysis.',
      action: 'error',
      outcome: 'failure',
      payload: object({ phase: label, error_message: words }),
    },
  },
});
