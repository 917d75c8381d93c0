import { aiAnalysis } from './ai-analysis.ts';
import { authWebhook } from './auth-webhook.ts';
import { gateway } from './gateway.ts';
import { notification } from './notification.ts';
import { remediationOrchestrator } from './remediation-orchestrator.ts';
import { signalProcessing } from './signal-processing.ts';
import { type EventType, type Service } from './service.ts';
import { workflowExecution } from './workflow-execution.ts';

/** The seven services, in the order in which a remediation meets them. */
export const services = {
  gateway,
  signalProcessing,
  aiAnalysis,
  workflowExecution,
  remediationOrchestrator,
  notification,
  authWebhook,
} as const satisfies Record<string, Service>;

/** Every event type under its present name. */
export const eventTypes: ReadonlyMap<string, EventType> = new Map(
  Object.values<Service>(services).flatMap(({ events }) => Object.values(events).map((one) => [one.type, one])),
);

/** The present name of each type that had another one. */
export const renamedTypes: ReadonlyMap<string, string> = new Map(
  [...eventTypes.values()].flatMap(({ type, was = [] }) => was.map((old): [string, string] => [old, type])),
);

/** The definition of a type under its present or an old name; undefined for a type that the catalogue does not have. */
export const eventTypeOf = (type: string): EventType | undefined =>
  eventTypes.get(type) ?? eventTypes.get(renamedTypes.get(type) ?? '');

/** The payload's fields that are free JSON objects, of a type that the catalogue has. */
export const documentFieldsOf = (type: string): readonly string[] => {
  const payload = eventTypeOf(type)?.payload;
  if (payload?.kind !== 'fields') return [];
  const all = Object.entries({ ...payload.optional, ...payload.required });
  return all.flatMap(([name, shape]) => (shape.kind === 'document' ? [name] : []));
};
