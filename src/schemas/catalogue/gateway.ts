import { errorDetails, label, name, words } from './common.ts';
import { service } from './service.ts';
import { and, document, object, oneOf, text, textMap, whole } from './shape.ts';

export const signal = object(
  { signal_type: label, signal_name: label, namespace: label, fingerprint: text(253, 1) },
  {
    severity: label,
    resource_kind: label,
    resource_name: label,
    /** `namespace/name`. */
    remediation_request: text(507),
    original_payload: document,
    signal_labels: textMap,
    signal_annotations: textMap,
    occurrence_count: whole(0),
    deduplication_status: oneOf('new', 'duplicate'),
  },
);

const source = { actor: { type: 'external', id: 'alertmanager' }, resourceType: 'Signal' } as const;

export const gateway = service({
  title: 'Gateway',
  defaults: { category: 'gateway', actor: { type: 'gateway', id: 'crd-creator' }, resourceType: 'RemediationRequest' },
  events: {
    signalReceived: {
      type: 'gateway.signal.received',
      says: 'A signal came in for the first time.',
      action: 'received',
      outcome: 'success',
      payload: and(signal, object({}, { deduplication_status: oneOf('new') })),
      ...source,
    },
    signalDeduplicated: {
      type: 'gateway.signal.deduplicated',
      says: 'A signal came in again while its remediation goes on.',
      action: 'deduplicated',
      outcome: 'success',
      payload: and(signal, object({}, { deduplication_status: oneOf('duplicate') })),
      ...source,
    },
    crdCreated: {
      type: 'gateway.crd.created',
      says: 'A remediation request was made for a signal.',
      action: 'created',
      outcome: 'success',
      payload: signal,
    },
    crdFailed: {
      type: 'gateway.crd.failed',
      was: ['gateway.crd.creation_failed'],
      says: 'No remediation request could be made: one event per attempt, and a last one. There is no request yet, so the correlation id is `alertname:namespace:kind:name`.',
      action: 'failed',
      outcome: 'failure',
      payload: and(signal, object({}, { error_details: errorDetails })),
    },
    configReloaded: {
      type: 'gateway.config.reloaded',
      says: 'A new configuration is in force.',
      action: 'reloaded',
      outcome: 'success',
      payload: object({ component: name }, { config_version: label, rejection_reason: words }),
    },
    configRejected: {
      type: 'gateway.config.rejected',
      says: 'A new configuration was refused; the old one stays.',
      action: 'rejected',
      outcome: 'failure',
      payload: object({ component: name }, { config_version: label, rejection_reason: words }),
    },
  },
});
