import { duration, errorDetails, label, name, reference, time, words } from './common.ts';
import { service } from './service.ts';
import { and, object, oneOf, textMap, whole } from './shape.ts';

export const failureReason = oneOf(
  'OOMKilled',
  'DeadlineExceeded',
  'Forbidden',
  'ImagePullBackOff',
  'ConfigurationError',
  'ResourceExhausted',
  'TaskFailed',
  'UnsupportedEngine',
  'Deduplicated',
  'Unknown',
);

export const workflow = object(
  {
    workflow_id: name,
    workflow_version: label,
    /** `namespace/kind/name`. */
    target_resource: reference,
    phase: label,
    container_image: reference,
    execution_name: name,
  },
  { workflow_name: label },
);

const started = and(workflow, object({}, { pipelinerun_name: label, parameters: textMap, action_type: label }));

const ended = and(workflow, object({}, { started_at: time, completed_at: time, duration, retry_count: whole(0) }));

export const workflowExecution = service({
  title: 'WorkflowExecution',
  defaults: {
    category: 'workflowexecution',
    actor: { type: 'service', id: 'workflowexecution-controller' },
    resourceType: 'WorkflowExecution',
  },
  events: {
    selectionCompleted: {
      type: 'workflowexecution.selection.completed',
      was: ['workflow.selection.completed'],
      says: 'A workflow was selected.',
      action: 'completed',
      outcome: 'success',
      payload: workflow,
    },
    executionStarted: {
      type: 'workflowexecution.execution.started',
      was: ['execution.workflow.started'],
      says: 'A workflow began to run.',
      action: 'started',
      outcome: 'success',
      payload: started,
    },
    workflowCompleted: {
      type: 'workflowexecution.workflow.completed',
      was: ['workflow.completed'],
      says: 'A workflow did what it should.',
      action: 'completed',
      outcome: 'success',
      payload: ended,
    },
    workflowFailed: {
      type: 'workflowexecution.workflow.failed',
      was: ['workflow.failed'],
      says: 'A workflow failed.',
      action: 'failed',
      outcome: 'failure',
      payload: and(
        ended,
        object(
          {},
          {
            failure_reason: failureReason,
            failure_message: words,
            failed_task_name: label,
            error_details: errorDetails,
          },
        ),
      ),
    },
    workflowStarted: {
      type: 'workflowexecution.workflow.started',
      was: ['workflow.started'],
      says: 'Deprecated: older services send it beside `workflowexecution.execution.started`.',
      action: 'started',
      outcome: 'success',
      payload: started,
    },
  },
});
