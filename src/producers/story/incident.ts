import type { Random } from '../random.ts';

/** A kind of trouble that the made-up platform knows how to mend. */
export type Scenario = {
  readonly signal: string;
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  readonly externalSeverity: string;
  readonly severity: 'critical' | 'high' | 'warning';
  readonly summary: string;
  readonly diagnosis: string;
  readonly workflow: string;
  readonly action: string;
  readonly parameters: Readonly<Record<string, string>>;
};

const scenarios: readonly [Scenario, ...Scenario[]] = [
  {
    signal: 'PodMemoryNearLimit',
    kind: 'Deployment',
    externalSeverity: 'Sev2',
    severity: 'high',
    summary: 'Working set above 92 % of the memory limit for ten minutes',
    diagnosis:
      'Memory grows steadily since the rollout of this morning; the cache has no upper bound. Raising the limit buys time until the fix is out.',
    workflow: 'wf-raise-memory',
    action: 'IncreaseMemoryLimit',
    parameters: { memoryLimit: '768Mi', rolloutTimeout: '5m' },
  },
  {
    signal: 'PodCrashLooping',
    kind: 'Deployment',
    externalSeverity: 'Sev1',
    severity: 'critical',
    summary: 'Containers restart every forty seconds',
    diagnosis:
      'The newest revision fails its readiness probe because a required setting is missing. The revision before it was healthy for six days.',
    workflow: 'wf-roll-back',
    action: 'RollbackDeployment',
    parameters: { toRevision: 'previous', waitForReady: 'true' },
  },
  {
    signal: 'VolumeFillingUp',
    kind: 'StatefulSet',
    externalSeverity: 'Sev3',
    severity: 'warning',
    summary: 'Less than 8 % of the volume is free, full in four hours at this rate',
    diagnosis:
      'Write-ahead files are kept because one replica has been away since the node was drained. Growing the volume is safe; the storage class allows it.',
    workflow: 'wf-expand-volume',
    action: 'ExpandPersistentVolume',
    parameters: { size: '40Gi', filesystem: 'ext4' },
  },
  {
    signal: 'NodeAgentNotReady',
    kind: 'DaemonSet',
    externalSeverity: 'Sev2',
    severity: 'high',
    summary: 'The agent is not ready on three of forty nodes',
    diagnosis:
      'All three nodes run the older kernel on which the newest agent cannot load its probe. Restarting does not help; the nodes need the update.',
    workflow: 'wf-cordon-and-drain',
    action: 'DrainNode',
    parameters: { gracePeriod: '120s', maxUnavailable: '1' },
  },
  {
    signal: 'HttpErrorRateHigh',
    kind: 'Deployment',
    externalSeverity: 'Sev1',
    severity: 'critical',
    summary: 'More than 5 % of the requests end with status 503',
    diagnosis:
      'Connections to the database are used up; the load doubled within an hour while the number of replicas stayed. Scaling out spreads the pool.',
    workflow: 'wf-scale-out',
    action: 'ScaleReplicas',
    parameters: { replicas: '6', maxSurge: '2' },
  },
];

const workloads = [
  'cart-svc',
  'checkout-api',
  'ledger-db',
  'search-index',
  'mail-relay',
  'price-feed',
  'login-proxy',
] as const;
const namespaces = ['checkout', 'payments', 'search', 'identity', 'logistics'] as const;
const people = ['ana.brandt', 'bo.lindqvist', 'chidi.okafor', 'dana.weiss', 'emre.aydin'] as const;

/** One case of a scenario, with the names that all its events share. */
export type Incident = {
  readonly scenario: Scenario;
  readonly fingerprint: string;
  /** The remediation request's name, which is the correlation id: `rr-<12 of the fingerprint>-<8 hex>`. */
  readonly request: string;
  /** The last 8 digits of it, which end the names of everything made for it. */
  readonly suffix: string;
  readonly namespace: string;
  readonly workload: string;
  readonly environment: 'production' | 'staging';
  readonly cluster: string;
  /** Who decides, if somebody must. */
  readonly person: string;
  /** 0.5 to 0.99. */
  readonly confidence: number;
  readonly policyHash: string;
};

export const incident = (random: Random): Incident => {
  const fingerprint = random.hex(64);
  const suffix = random.hex(8);
  return {
    scenario: random.pick(scenarios),
    fingerprint,
    request: `rr-${fingerprint.slice(0, 12)}-${suffix}`,
    suffix,
    namespace: random.pick(namespaces),
    workload: random.pick(workloads),
    environment: random.chance(0.6) ? 'production' : 'staging',
    cluster: random.pick(['eu-central-1a', 'eu-north-2b', 'us-east-3c']),
    person: `${random.pick(people)}@example.test`,
    confidence: random.between(50, 99) / 100,
    policyHash: random.hex(64),
  };
};
