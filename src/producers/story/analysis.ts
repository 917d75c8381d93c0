import { rfc3339 } from '../audit-event.ts';
import { aiAnalysis, authWebhook, notification, remediationOrchestrator } from '../builders.ts';
import { transition } from './arrival.ts';
import type { Incident } from './incident.ts';
import { remediationOf, type Teller } from './teller.ts';

const analysisName = ({ workload, suffix }: Incident): string => `aia-${workload}-${suffix}`;

/** A person decides about what touches production or what the agent is not sure of. */
const needsApproval = ({ environment, confidence }: Incident): boolean =>
  environment === 'production' || confidence < 0.7;

/** The agent explains the signal and selects a workflow. Returns whether a person must approve of it. */
export const analysis = (story: Teller): boolean => {
  const { tell, pass, random, incident } = story;
  const { scenario, environment, confidence, policyHash } = incident;
  const resourceId = analysisName(incident);
  const required = needsApproval(incident);
  const approvalReason = environment === 'production' ? 'production change' : 'low confidence';
  transition(story, 'Processing', 'Analyzing');
  tell(aiAnalysis.phaseTransition, { resourceId }, { old_phase: 'Pending', new_phase: 'Investigating' });
  const durationMs = pass(2_000, 45_000);
  const call = { endpoint: '/api/v1/incident/analyze', http_status_code: 200, duration_ms: durationMs };
  tell(aiAnalysis.agentCall, { resourceId, durationMs }, call);
  tell(
    aiAnalysis.regoEvaluation,
    { resourceId },
    {
      outcome: required ? 'requires_approval' : 'auto_approved',
      degraded: false,
      duration_ms: random.between(2, 30),
      reason: required ? approvalReason : 'confidence above the threshold outside of production',
      policy_hash: policyHash,
    },
  );
  tell(
    aiAnalysis.approvalDecision,
    { resourceId },
    {
      approval_required: required,
      approval_reason: required ? approvalReason : 'none',
      auto_approved: !required,
      decision: required ? 'manual_review' : 'auto_approved',
      reason: scenario.diagnosis,
      environment,
      confidence,
      workflow_id: scenario.workflow,
    },
  );
  tell(
    aiAnalysis.analysisCompleted,
    { resourceId },
    {
      analysis_name: resourceId,
      namespace: incident.namespace,
      phase: 'Completed',
      approval_required: required,
      ...(required && { approval_reason: approvalReason }),
      degraded_mode: false,
      warnings_count: 1,
      confidence,
      workflow_id: scenario.workflow,
      provider_response_summary: {
        incident_id: `inc-${incident.suffix}`,
        analysis_preview: scenario.diagnosis,
        needs_human_review: required,
        warnings_count: 1,
        selected_workflow_id: scenario.workflow,
      },
    },
  );
  return required;
};

/** Someone is asked: one event says who decided, one what became of it. Returns whether the workflow may run. */
export const approval = ({ tell, pass, random, incident, nowUs }: Teller): boolean => {
  const { scenario, confidence, suffix, person } = incident;
  const request = `rar-${suffix}`;
  const approved = random.chance(0.85);
  const decision = approved ? 'Approved' : 'Rejected';
  tell(
    remediationOrchestrator.approvalRequested,
    { resourceId: incident.request },
    {
      ...remediationOf(incident),
      rar_name: request,
      required_by: rfc3339(nowUs() + 15 * 60_000_000),
      workflow_id: scenario.workflow,
      confidence_str: confidence.toFixed(2),
    },
  );
  tell(
    notification.messageSent,
    { resourceId: `nr-approval-${suffix}` },
    {
      notification_id: `nr-approval-${suffix}`,
      channel: 'slack',
      subject: `Approval wanted: ${scenario.action} for ${incident.namespace}/${incident.workload}`,
      body: scenario.diagnosis,
      priority: 'High',
      type: 'approval',
    },
  );
  pass(20_000, 600_000);
  const decided = tell(
    authWebhook.approvalDecided,
    { resourceId: request, actor: { type: 'user', id: person }, actorIp: '203.0.113.17' },
    {
      request_name: request,
      decision,
      decided_at: rfc3339(nowUs()),
      decision_message: approved
        ? 'Read the diagnosis and the parameters; go ahead.'
        : 'Not during the sale; we scale by hand.',
      ai_analysis_ref: analysisName(incident),
      policy_hash: incident.policyHash,
    },
  );
  const settle = approved ? remediationOrchestrator.approvalApproved : remediationOrchestrator.approvalRejected;
  const settled = { ...remediationOf(incident), rar_name: request, decision };
  tell(settle, { resourceId: incident.request, parentEventId: decided.event_id }, settled);
  return approved;
};
