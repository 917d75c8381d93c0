import type { signal } from '../../schemas/catalogue/gateway.ts';
import type { remediation } from '../../schemas/catalogue/remediation-orchestrator.ts';
import type { TypeOf } from '../../schemas/catalogue/shape.ts';
import type { workflow } from '../../schemas/catalogue/workflow-execution.ts';
import type { AuditEvent, Statement } from '../audit-event.ts';
import type { Random } from '../random.ts';
import { uuidV7Source } from '../uuid-v7.ts';
import { type Incident, incident } from './incident.ts';

/** What a chapter says of an event; the rest follows from the incident and the story's clock. */
export type Said = Omit<Statement<object>, 'data' | 'correlationId' | 'namespace' | 'clusterId'>;

/** What every chapter of a story has in hand. */
export type Teller = {
  readonly random: Random;
  readonly incident: Incident;
  /** Tells the next event and returns it, so that a later one can name it as its parent. */
  readonly tell: <Data extends object, Mine extends Said>(
    builder: (statement: Statement<Data> & Mine) => AuditEvent,
    said: Mine,
    data: Data,
  ) => AuditEvent;
  /** Lets time pass; returns how much, in milliseconds. */
  readonly pass: (minMs: number, maxMs: number) => number;
  /** The story's clock, Unix microseconds. */
  readonly nowUs: () => number;
  /** All that has been told, in order. */
  readonly told: readonly AuditEvent[];
};

/** Begins a story at `startMs`, Unix milliseconds. Between two events at least half a millisecond passes. */
export const teller = (random: Random, startMs: number): Teller => {
  const subject = incident(random);
  const told: AuditEvent[] = [];
  let timeUs = Math.round(startMs * 1000);
  const newId = uuidV7Source({ now: () => timeUs / 1000, random });
  const { request: correlationId, namespace, cluster: clusterId } = subject;
  return {
    random,
    incident: subject,
    told,
    tell: (builder, said, data) => {
      timeUs += random.between(500, 20_000);
      const event = builder({ ...said, data, eventId: newId(), timeUs, correlationId, namespace, clusterId });
      told.push(event);
      return event;
    },
    pass: (minMs, maxMs) => {
      const ms = random.between(minMs, maxMs);
      timeUs += ms * 1000;
      return ms;
    },
    nowUs: () => timeUs,
  };
};

export const signalOf = ({ scenario, fingerprint, namespace, workload, request }: Incident): TypeOf<typeof signal> => ({
  signal_type: 'alert',
  signal_name: scenario.signal,
  namespace,
  fingerprint,
  severity: scenario.externalSeverity,
  resource_kind: scenario.kind,
  resource_name: workload,
  remediation_request: `${namespace}/${request}`,
});

export const remediationOf = ({ request, namespace }: Incident): TypeOf<typeof remediation> => ({
  rr_name: request,
  namespace,
});

export const workflowOf = (
  { scenario, namespace, workload, suffix }: Incident,
  phase: string,
): TypeOf<typeof workflow> => ({
  workflow_id: scenario.workflow,
  workflow_version: '2.3.0',
  target_resource: `${namespace}/${scenario.kind.toLowerCase()}/${workload}`,
  phase,
  container_image: `registry.example.test/remediation/actions@sha256:${suffix.repeat(8)}`,
  execution_name: `wfe-${suffix}`,
  workflow_name: `${scenario.action}-${workload}`,
});
