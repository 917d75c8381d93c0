import { rfc3339 } from '../audit-event.ts';
import { authWebhook, remediationOrchestrator, workflowExecution } from '../builders.ts';
import type { failureReason } from '../../schemas/catalogue/workflow-execution.ts';
import type { TypeOf } from '../../schemas/catalogue/shape.ts';
import { transition } from './arrival.ts';
import { remediationOf, signalOf, type Teller, workflowOf } from './teller.ts';

type WorkflowFailureReason = TypeOf<typeof failureReason>;

const failures: readonly [WorkflowFailureReason, ...WorkflowFailureReason[]] = [
  'DeadlineExceeded',
  'ImagePullBackOff',
  'OOMKilled',
  'Forbidden',
];

const minutes = (ms: number): string => `${Math.floor(ms / 60_000)}m${Math.floor((ms % 60_000) / 1000)}s`;

/** An earlier run left the workload blocked; a person looks and clears it. */
const unblock = ({ tell, pass, incident, nowUs }: Teller): void => {
  tell(remediationOrchestrator.routingBlocked, { resourceId: incident.request }, remediationOf(incident));
  pass(60_000, 300_000);
  tell(
    authWebhook.blockCleared,
    { resourceId: `wfe-${incident.suffix}`, actor: { type: 'user', id: incident.person } },
    {
      workflow_name: `wfe-${incident.suffix}`,
      clear_reason: 'Checked the node pool by hand with the on-call storage engineer today',
      cleared_at: rfc3339(nowUs()),
      previous_state: 'Blocked',
      new_state: 'Running',
    },
  );
};

/** The workflow runs. Returns why it failed, or null if it did what it should. */
export const execution = (story: Teller): WorkflowFailureReason | null => {
  const { tell, pass, random, incident, nowUs } = story;
  const { scenario, fingerprint } = incident;
  const resourceId = `wfe-${incident.suffix}`;
  const selected = workflowOf(incident, 'Pending');
  if (random.chance(0.1)) unblock(story);
  transition(story, 'Analyzing', 'Executing');
  tell(
    remediationOrchestrator.workflowCreated,
    { resourceId: incident.request },
    {
      ...remediationOf(incident),
      pre_remediation_spec_hash: random.hex(64),
      target_resource: selected.target_resource,
      workflow_id: selected.workflow_id,
      workflow_version: selected.workflow_version,
      action_type: scenario.action,
      signal_type: signalOf(incident).signal_type,
      signal_fingerprint: fingerprint,
    },
  );
  tell(workflowExecution.selectionCompleted, { resourceId }, selected);
  const startedAt = rfc3339(nowUs());
  tell(
    workflowExecution.executionStarted,
    { resourceId },
    {
      ...workflowOf(incident, 'Running'),
      pipelinerun_name: `${resourceId}-run`,
      parameters: scenario.parameters,
      action_type: scenario.action,
    },
  );
  const durationMs = pass(10_000, 240_000);
  const times = {
    started_at: startedAt,
    completed_at: rfc3339(nowUs()),
    duration: minutes(durationMs),
    retry_count: 0,
  };
  if (random.chance(0.8)) {
    tell(
      workflowExecution.workflowCompleted,
      { resourceId, durationMs },
      { ...workflowOf(incident, 'Completed'), ...times },
    );
    return null;
  }
  const reason = random.pick(failures);
  const message = `task ${scenario.action} ended with ${reason}`;
  tell(
    workflowExecution.workflowFailed,
    { resourceId, durationMs, severity: 'error', errorCode: 'ERR_K8S_TASK', errorMessage: message },
    {
      ...workflowOf(incident, 'Failed'),
      ...times,
      failure_reason: reason,
      failure_message: message,
      failed_task_name: scenario.action,
      error_details: {
        message,
        code: 'ERR_K8S_TASK',
        component: 'workflowexecution',
        retry_possible: reason !== 'Forbidden',
      },
    },
  );
  return reason;
};
