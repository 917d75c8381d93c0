import { rfc3339 } from '../audit-event.ts';
import { gateway, remediationOrchestrator, signalProcessing } from '../builders.ts';
import type { Incident } from './incident.ts';
import { remediationOf, signalOf, type Teller } from './teller.ts';

const labelsOf = ({ scenario, workload, namespace, environment, cluster }: Incident): Record<string, string> => ({
  alertname: scenario.signal,
  app: workload,
  cluster,
  environment,
  namespace,
  severity: scenario.externalSeverity,
  team: namespace,
});

const annotationsOf = ({ scenario, workload }: Incident): Record<string, string> => ({
  summary: scenario.summary,
  runbook_url: `https://runbooks.example.test/${scenario.signal}?for=${workload}`,
});

/** The signal comes in, perhaps more than once, and a remediation is opened for it. */
export const arrival = ({ tell, pass, random, incident, nowUs }: Teller): void => {
  const signal = signalOf(incident);
  const resourceId = incident.fingerprint;
  const received = tell(
    gateway.signalReceived,
    { resourceId, actor: { type: 'external', id: 'alertmanager' } },
    {
      ...signal,
      deduplication_status: 'new',
      signal_labels: labelsOf(incident),
      signal_annotations: annotationsOf(incident),
      original_payload: {
        status: 'firing',
        startsAt: rfc3339(nowUs()),
        generatorURL: `https://metrics.example.test/graph?g0.expr=${incident.scenario.signal}`,
        labels: labelsOf(incident),
      },
    },
  );
  const parentEventId = received.event_id;
  tell(gateway.crdCreated, { resourceId: incident.request, parentEventId }, { ...signal, occurrence_count: 1 });
  const occurrences = random.between(1, 3);
  for (let count = 2; count <= occurrences; count++) {
    pass(200, 900);
    tell(
      gateway.signalDeduplicated,
      { resourceId, parentEventId },
      {
        ...signal,
        deduplication_status: 'duplicate',
        occurrence_count: count,
      },
    );
  }
  tell(
    remediationOrchestrator.lifecycleCreated,
    { resourceId: incident.request, parentEventId },
    {
      ...remediationOf(incident),
      timeout_config: { global: '1h', processing: '5m', analyzing: '10m', executing: '30m' },
    },
  );
  tell(remediationOrchestrator.lifecycleStarted, { resourceId: incident.request }, remediationOf(incident));
};

/** The orchestrator moves the remediation on. */
export const transition = ({ tell, incident }: Teller, from: string, to: string): void => {
  tell(
    remediationOrchestrator.lifecycleTransitioned,
    { resourceId: incident.request },
    {
      ...remediationOf(incident),
      from_phase: from,
      to_phase: to,
    },
  );
};

/** The signal is enriched and classified. */
export const processing = (story: Teller): void => {
  const { tell, pass, incident } = story;
  const { scenario, environment, suffix } = incident;
  const resourceId = `sp-${incident.workload}-${suffix}`;
  const priority = scenario.severity === 'critical' ? 'P0' : 'P1';
  const business = { criticality: scenario.severity, sla_requirement: environment === 'production' ? '15m' : '4h' };
  const phase = { phase: 'Classifying', signal: scenario.signal } as const;
  transition(story, 'Pending', 'Processing');
  const steps = { signal: scenario.signal, phase: 'Enriching', from_phase: 'Pending', to_phase: 'Enriching' } as const;
  tell(signalProcessing.phaseTransition, { resourceId }, steps);
  const durationMs = pass(20, 400);
  tell(
    signalProcessing.classificationDecision,
    { resourceId, durationMs },
    {
      ...phase,
      ...business,
      duration_ms: durationMs,
      external_severity: scenario.externalSeverity,
      normalized_severity: scenario.severity,
      determination_source: 'rego-policy',
      policy_hash: incident.policyHash,
      environment,
      priority,
    },
  );
  const unit = { business_unit: incident.namespace, severity: scenario.severity };
  tell(signalProcessing.businessClassified, { resourceId }, { ...phase, ...business, ...unit });
  tell(
    signalProcessing.signalProcessed,
    { resourceId },
    {
      ...phase,
      ...business,
      phase: 'Completed',
      severity: scenario.severity,
      environment,
      environment_source: 'namespace-labels',
      priority,
      priority_source: 'rego-policy',
      has_owner_chain: true,
      owner_chain_length: 2,
      degraded_mode: false,
      signal_mode: 'reactive',
    },
  );
};
