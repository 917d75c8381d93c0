import { environment, hash, label, priority, severity, words } from './common.ts';
import { service } from './service.ts';
import { and, object, oneOf, whole, yesNo } from './shape.ts';

const phase = oneOf('Pending', 'Enriching', 'Classifying', 'Categorizing', 'Completed', 'Failed');
const subject = object({ phase, signal: label });
const perhapsSubject = object({}, { phase, signal: label });

export const signalProcessing = service({
  title: 'SignalProcessing',
  defaults: {
    category: 'signalprocessing',
    actor: { type: 'service', id: 'signalprocessing-controller' },
    resourceType: 'SignalProcessing',
  },
  events: {
    signalProcessed: {
      type: 'signalprocessing.signal.processed',
      says: 'A signal went through all phases, or failed in one (outcome failure).',
      action: 'processed',
      outcome: 'success',
      payload: and(
        subject,
        object(
          {},
          {
            severity,
            environment,
            environment_source: label,
            priority,
            priority_source: label,
            criticality: label,
            sla_requirement: label,
            has_owner_chain: yesNo,
            owner_chain_length: whole(0),
            degraded_mode: yesNo,
            signal_mode: label,
            error: words,
          },
        ),
      ),
    },
    phaseTransition: {
      type: 'signalprocessing.phase.transition',
      says: 'A signal went from one phase to the next.',
      action: 'phase_transition',
      outcome: 'success',
      payload: and(subject, object({}, { from_phase: phase, to_phase: phase })),
    },
    classificationDecision: {
      type: 'signalprocessing.classification.decision',
      says: 'Severity, environment and priority of a signal were decided.',
      action: 'classification',
      outcome: 'success',
      payload: and(
        subject,
        object(
          {},
          {
            duration_ms: whole(0),
            external_severity: label,
            normalized_severity: severity,
            determination_source: label,
            policy_hash: hash,
            environment,
            priority,
            criticality: label,
            sla_requirement: label,
          },
        ),
      ),
    },
    businessClassified: {
      type: 'signalprocessing.business.classified',
      says: 'What the signal means for the business was decided.',
      action: 'classification',
      outcome: 'success',
      payload: and(
        object({ severity, business_unit: label, criticality: label, sla_requirement: label }),
        perhapsSubject,
      ),
    },
    enrichmentCompleted: {
      type: 'signalprocessing.enrichment.completed',
      says: 'What the cluster knows of the resource was gathered.',
      action: 'enrichment',
      outcome: 'success',
      payload: and(
        object({
          duration_ms: whole(0),
          has_namespace: yesNo,
          has_pod: yesNo,
          has_deployment: yesNo,
          owner_chain_length: whole(0),
          degraded_mode: yesNo,
        }),
        perhapsSubject,
      ),
    },
    errorOccurred: {
      type: 'signalprocessing.error.occurred',
      says: 'Something failed while a signal was processed.',
      action: 'error',
      outcome: 'failure',
      payload: object({ phase, signal: label, error: words }),
    },
  },
});
