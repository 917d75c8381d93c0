import { eventsOf } from '../audit-event.ts';

export type SignalPhase = { readonly phase: string; readonly signal: string };

export type SignalProcessed = SignalPhase & {
  readonly severity?: string;
  readonly environment?: string;
  readonly environment_source?: string;
  readonly priority?: string;
  readonly priority_source?: string;
  readonly criticality?: string;
  readonly sla_requirement?: string;
  readonly has_owner_chain?: boolean;
  readonly owner_chain_length?: number;
  readonly degraded_mode?: boolean;
  readonly signal_mode?: string;
  readonly error?: string;
};

export type ClassificationDecision = SignalPhase & {
  readonly duration_ms?: number;
  readonly external_severity?: string;
  readonly normalized_severity?: string;
  readonly determination_source?: string;
  /** 64 hex digits. */
  readonly policy_hash?: string;
  readonly environment?: string;
  readonly priority?: string;
  readonly criticality?: string;
  readonly sla_requirement?: string;
};

export type BusinessClassified = SignalPhase & {
  readonly severity: string;
  readonly business_unit: string;
  readonly criticality: string;
  readonly sla_requirement: string;
};

const event = eventsOf({
  category: 'signalprocessing',
  actor: { type: 'service', id: 'signalprocessing-controller' },
  resourceType: 'SignalProcessing',
});

export const signalProcessing = {
  /** The outcome is the occasion's: `failure` for a signal that could not be processed. */
  signalProcessed: event<SignalProcessed>('signalprocessing.signal.processed', 'processed', 'success'),
  phaseTransition: event<SignalPhase & { readonly from_phase: string; readonly to_phase: string }>(
    'signalprocessing.phase.transition',
    'phase_transition',
    'success',
  ),
  classificationDecision: event<ClassificationDecision>(
    'signalprocessing.classification.decision',
    'classification',
    'success',
  ),
  businessClassified: event<BusinessClassified>('signalprocessing.business.classified', 'classification', 'success'),
};
