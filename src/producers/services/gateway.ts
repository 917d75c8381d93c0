import { eventsOf } from '../audit-event.ts';
import type { ErrorDetails } from './error-details.ts';

export type Signal = {
  readonly signal_type: string;
  readonly signal_name: string;
  readonly namespace: string;
  readonly fingerprint: string;
  readonly severity?: string;
  readonly resource_kind?: string;
  readonly resource_name?: string;
  /** `namespace/name`. */
  readonly remediation_request?: string;
};

export type SignalReceived = Signal & {
  readonly deduplication_status: 'new';
  readonly original_payload?: Readonly<Record<string, unknown>>;
  readonly signal_labels?: Readonly<Record<string, string>>;
  readonly signal_annotations?: Readonly<Record<string, string>>;
};

export type SignalDeduplicated = Signal & {
  readonly deduplication_status: 'duplicate';
  readonly occurrence_count: number;
};

export type ConfigReloaded = { readonly component: string; readonly config_version: string };
export type ConfigRejected = { readonly component: string; readonly rejection_reason: string };

const event = eventsOf({
  category: 'gateway',
  actor: { type: 'gateway', id: 'crd-creator' },
  resourceType: 'RemediationRequest',
});
const source = { actor: { type: 'external', id: 'alertmanager' }, resourceType: 'Signal' };

export const gateway = {
  signalReceived: event<SignalReceived>('gateway.signal.received', 'received', 'success', source),
  signalDeduplicated: event<SignalDeduplicated>('gateway.signal.deduplicated', 'deduplicated', 'success', source),
  crdCreated: event<Signal & { readonly occurrence_count: 1 }>('gateway.crd.created', 'created', 'success'),
  /** One per attempt, and a last one. The correlation id is `alertname:namespace:kind:name`: there is no request yet. */
  crdFailed: event<Signal & { readonly error_details: ErrorDetails }>('gateway.crd.failed', 'failed', 'failure'),
  configReloaded: event<ConfigReloaded>('gateway.config.reloaded', 'reloaded', 'success'),
  configRejected: event<ConfigRejected>('gateway.config.rejected', 'rejected', 'failure'),
};
