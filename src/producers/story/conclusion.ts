import { notification, remediationOrchestrator } from '../builders.ts';
import { remediationOf, type Teller } from './teller.ts';

/** Why a remediation did not come to a good end. */
export type Failure = { readonly phase: 'Approving' | 'Executing'; readonly reason: string };

/** Watching whether the workload has recovered, after a workflow that did its work. */
export const verification = ({ tell, pass, incident }: Teller): void => {
  const subject = { ...remediationOf(incident), ea_name: `ea-${incident.suffix}` };
  const resourceId = incident.request;
  tell(remediationOrchestrator.verifyingStarted, { resourceId }, subject);
  const durationMs = pass(30_000, 120_000);
  tell(
    remediationOrchestrator.verificationCompleted,
    { resourceId, durationMs },
    { ...subject, duration_ms: durationMs },
  );
};

/** People are told. Some channels fail now and then, and a few messages never arrive. */
const announcement = ({ tell, pass, random, incident }: Teller, failure: Failure | null): void => {
  const resourceId = `nr-result-${incident.suffix}`;
  const notice = {
    notification_id: resourceId,
    subject: `Remediation ${failure === null ? 'completed' : 'failed'}: ${incident.namespace}/${incident.workload}`,
    priority: failure === null ? 'Medium' : 'High',
    metadata: { cluster: incident.cluster, workflow: incident.scenario.workflow },
  };
  const body = `${incident.scenario.summary}. ${failure === null ? 'Resolved' : `Ended with ${failure.reason}`} by ${incident.scenario.action}.`;
  const message = { ...notice, channel: 'slack', body };
  const failed = { resourceId, severity: 'warning', errorMessage: '429 from provider' };
  const attempts = random.chance(0.15) ? random.between(1, 3) : 0;
  for (let attempt = 0; attempt < attempts; attempt++) {
    tell(notification.messageFailed, failed, { ...message, error_type: 'transient', error: '429 from provider' });
    pass(1_000, 30_000);
  }
  if (attempts === 3) {
    tell(
      notification.messageEscalated,
      { resourceId, severity: 'warning' },
      { ...notice, reason: 'all attempts failed' },
    );
    return;
  }
  tell(notification.messageSent, { resourceId }, { ...message, type: failure === null ? 'completion' : 'escalation' });
  tell(notification.messageAcknowledged, { resourceId }, notice);
};

/** The remediation is closed. */
export const conclusion = (story: Teller, failure: Failure | null, beganUs: number): void => {
  const { tell, incident, nowUs } = story;
  announcement(story, failure);
  const durationMs = Math.round((nowUs() - beganUs) / 1000);
  const end = { ...remediationOf(incident), duration_ms: durationMs };
  const resourceId = incident.request;
  if (failure === null) {
    tell(
      remediationOrchestrator.lifecycleCompleted,
      { resourceId, durationMs },
      { ...end, outcome: 'Remediated', crd_outcome: 'Completed' },
    );
    return;
  }
  tell(
    remediationOrchestrator.lifecycleCompleted,
    { resourceId, durationMs, outcome: 'failure', severity: 'error' },
    {
      ...end,
      outcome: 'Failed',
      crd_outcome: 'Failed',
      failure_phase: failure.phase,
      failure_reason: failure.reason,
      error_details: {
        message: `the remediation ended in ${failure.phase}: ${failure.reason}`,
        code: 'ERR_INTERNAL_REMEDIATION',
        component: 'remediationorchestrator',
        retry_possible: false,
      },
    },
  );
};
