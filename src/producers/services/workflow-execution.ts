import { eventsOf } from '../audit-event.ts';
import type { ErrorDetails } from './error-details.ts';

export type Workflow = {
  readonly workflow_id: string;
  readonly workflow_version: string;
  /** `namespace/kind/name`. */
  readonly target_resource: string;
  readonly phase: string;
  readonly container_image: string;
  readonly execution_name: string;
  readonly workflow_name?: string;
};

export type ExecutionStarted = Workflow & {
  readonly pipelinerun_name?: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly action_type?: string;
};

export type WorkflowCompleted = Workflow & {
  readonly started_at?: string;
  readonly completed_at?: string;
  readonly duration?: string;
  readonly retry_count?: number;
};

export type WorkflowFailureReason =
  | 'OOMKilled'
  | 'DeadlineExceeded'
  | 'Forbidden'
  | 'ImagePullBackOff'
  | 'ConfigurationError'
  | 'ResourceExhausted'
  | 'TaskFailed'
  | 'UnsupportedEngine'
  | 'Deduplicated'
  | 'Unknown';

export type WorkflowFailed = WorkflowCompleted & {
  readonly failure_reason: WorkflowFailureReason;
  readonly failure_message?: string;
  readonly failed_task_name?: string;
  readonly error_details?: ErrorDetails;
};

const event = eventsOf({
  category: 'workflowexecution',
  actor: { type: 'service', id: 'workflowexecution-controller' },
  resourceType: 'WorkflowExecution',
});

export const workflowExecution = {
  selectionCompleted: event<Workflow>('workflowexecution.selection.completed', 'completed', 'success'),
  executionStarted: event<ExecutionStarted>('workflowexecution.execution.started', 'started', 'success'),
  workflowCompleted: event<WorkflowCompleted>('workflowexecution.workflow.completed', 'completed', 'success'),
  workflowFailed: event<WorkflowFailed>('workflowexecution.workflow.failed', 'failed', 'failure'),
};
