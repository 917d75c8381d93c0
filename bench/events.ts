import type { OutgoingMessage } from '../src/producers/publish.ts';
import { rfc3339 } from '../src/producers/audit-event.ts';
import { seededRandom } from '../src/producers/random.ts';
import { uuidV7Source } from '../src/producers/uuid-v7.ts';

export type BenchEventOptions = {
  readonly count: number;
  /** Events that share one correlation id. */
  readonly perCorrelation: number;
  /** Size of a value in bytes, exactly; the envelope alone takes some 600. */
  readonly sizeBytes: number;
  /** The events' times run evenly from `startMs` (Unix milliseconds) over so many milliseconds. */
  readonly startMs: number;
  readonly timeSpreadMs: number;
  readonly seed?: number;
};

/** Correlations that are told at the same time, as remediations run beside each other. */
const lanes = 50;

/** What one kind of event says apart from ids and times, so that only these are put together for each event. */
type Mould = { readonly middle: string; readonly end: string };

const mould = (
  service: string,
  category: string,
  event: string,
  action: string,
  data: Readonly<Record<string, unknown>>,
  outcome = 'success',
): Mould => ({
  middle:
    `"event_type":"${event}","event_category":"${category}","event_action":"${action}","event_outcome":"${outcome}",` +
    `"actor_type":"service","actor_id":"${service}-controller","resource_type":"${service}",` +
    `"resource_id":"${service}-cart-svc","namespace":"checkout","severity":"info","duration_ms":38,`,
  end: `"event_data":${JSON.stringify({ event_type: event, ...data }).slice(0, -1)},"detail":"`,
});

const signal = {
  signal_type: 'alert',
  signal_name: 'PodMemoryNearLimit',
  namespace: 'checkout',
  fingerprint: '9c41e0',
};
const processing = { phase: 'Completed', signal: 'PodMemoryNearLimit' };
const call = { endpoint: '/analyze', http_status_code: 200, duration_ms: 38 };
const analysis = {
  analysis_name: 'aia-cart',
  namespace: 'checkout',
  phase: 'Completed',
  approval_required: false,
  degraded_mode: false,
  warnings_count: 0,
};
const workflow = {
  workflow_id: 'wf-raise',
  workflow_version: '2.3.0',
  target_resource: 'checkout/deployment/cart',
  phase: 'Running',
  container_image: 'example.test/actions:7',
  execution_name: 'wfe-cart',
};
const message = {
  notification_id: 'nr',
  channel: 'slack',
  subject: 'done',
  body: 'done',
  priority: 'Low',
  type: 'end',
};
const remediation = { rr_name: 'rr-cart', namespace: 'checkout' };

const moulds: readonly Mould[] = [
  mould('gateway', 'gateway', 'gateway.signal.received', 'received', signal),
  mould('gateway', 'gateway', 'gateway.crd.created', 'created', signal),
  mould(
    'signalprocessing',
    'signalprocessing',
    'signalprocessing.classification.decision',
    'classification',
    processing,
  ),
  mould('signalprocessing', 'signalprocessing', 'signalprocessing.signal.processed', 'processed', processing),
  mould('aianalysis', 'analysis', 'aianalysis.aiagent.call', 'aiagent_call', call),
  mould('aianalysis', 'analysis', 'aianalysis.analysis.completed', 'analysis_complete', analysis),
  mould('workflowexecution', 'workflowexecution', 'workflowexecution.execution.started', 'started', workflow),
  mould('workflowexecution', 'workflowexecution', 'workflowexecution.workflow.failed', 'failed', workflow, 'failure'),
  mould('notification', 'notification', 'notification.message.sent', 'sent', message),
  mould('remediationorchestrator', 'orchestration', 'orchestrator.lifecycle.completed', 'completed', remediation),
];

const headers = { 'content-type': 'application/json' };

/**
 * Valid events as fast as they can be made, for measuring what comes after them. Deterministic by its options; UUIDv7
 * ids, times that rise, correlations of `perCorrelation` events of which 50 run beside each other.
 */
export function* benchEvents(options: BenchEventOptions): Generator<OutgoingMessage, void> {
  const { count, perCorrelation, sizeBytes, startMs, timeSpreadMs, seed = 1 } = options;
  const random = seededRandom(seed);
  let timeUs = startMs * 1000;
  const newId = uuidV7Source({ now: () => timeUs / 1000, random });
  const padding = Buffer.alloc(sizeBytes, 'lorem ipsum dolor sit amet ').toString('latin1');
  let correlations: string[] = [];
  for (let index = 0; index < count; index++) {
    if (index % (lanes * perCorrelation) === 0) {
      correlations = Array.from({ length: lanes }, () => `rr-${random.hex(12)}-${random.hex(8)}`);
    }
    timeUs = startMs * 1000 + Math.floor((index * timeSpreadMs * 1000) / count);
    const key = correlations[index % lanes] ?? '';
    const { middle, end } = moulds[(index + Math.floor(index / lanes)) % moulds.length] ?? { middle: '', end: '' };
    const head = `{"version":"1.0","event_id":"${newId()}","event_timestamp":"${rfc3339(timeUs)}","correlation_id":"${key}",`;
    const room = sizeBytes - head.length - middle.length - end.length - 3;
    yield {
      key,
      value: Buffer.from(`${head}${middle}${end}${padding.slice(0, Math.max(0, room))}"}}`, 'latin1'),
      headers,
    };
  }
}

/** Half of the events repeat an earlier one, chosen over everything that came before. */
export function* repeatingEvents(options: BenchEventOptions): Generator<OutgoingMessage, void> {
  const random = seededRandom(options.seed ?? 1);
  const earlier: OutgoingMessage[] = [];
  for (const event of benchEvents({ ...options, count: Math.ceil(options.count / 2) })) {
    earlier.push(event);
    yield event;
    yield earlier[random.between(0, earlier.length - 1)] ?? event;
  }
}
