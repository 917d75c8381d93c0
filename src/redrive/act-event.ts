import { z } from 'zod';
import { PipelineError } from '../errors.ts';
import { deadStates } from '../sinks/immudb/format/dead-value.ts';
import { decodeEventValue } from '../sinks/immudb/format/event-value.ts';
import { eventKey } from '../sinks/immudb/format/keys.ts';
import type { DeskPorts } from './desk-ports.ts';
import { letterId, parseLetterId } from './letter-id.ts';
import type { Selection } from './select.ts';

/** Every act of an operator is an audit event, too: published to the source topic, stored by the pipeline like any other. */
export type Act = 'redrive' | 'fix' | 'discard' | 'cancel' | 'release';
export type Phase = 'started' | 'resumed' | 'finished';

export type ActEvent = {
  readonly act: Act;
  readonly phase: Phase;
  readonly runId: string;
  /** The act that this one is about; default: itself. */
  readonly correlationId?: string;
  readonly by: string;
  readonly outcome: 'pending' | 'success' | 'failure';
  readonly data: Readonly<Record<string, unknown>>;
};

type Ports = Pick<DeskPorts, 'append' | 'partitions' | 'ledger' | 'newId' | 'wallMs'>;

/** Resolves when Kafka has it. The event that begins a run has the run's id, so that a resumed run finds it. */
export const publishAct = async (ports: Ports, event: ActEvent): Promise<void> => {
  const { act, phase, runId, correlationId = runId, by, outcome, data } = event;
  const category = act === 'release' ? 'breaker' : 'deadletter';
  const value = JSON.stringify({
    version: '1.0',
    event_id: phase === 'started' ? runId : ports.newId(),
    event_type: `${category}.${act}.${phase}`,
    event_timestamp: new Date(ports.wallMs()).toISOString(),
    event_category: category,
    event_action: act,
    event_outcome: outcome,
    correlation_id: correlationId,
    actor_type: 'operator',
    actor_id: by,
    resource_type: 'ledger',
    resource_id: ports.ledger.format.ledgerId,
    event_data: data,
  });
  const partition = parseInt(runId.slice(-8), 16) % ports.partitions;
  await ports.append(partition, [
    {
      key: Buffer.from(runId),
      value: Buffer.from(value),
      headers: [['content-type', Buffer.from('application/json')]],
    },
  ]);
};

const filterShape = z.strictObject({
  state: z.enum([...deadStates, 'all']).exactOptional(),
  codes: z.array(z.string()).exactOptional(),
  topic: z.string().exactOptional(),
  partition: z.int().exactOptional(),
  fromOffset: z
    .string()
    .regex(/^\d{1,18}$/)
    .exactOptional(),
  toOffset: z
    .string()
    .regex(/^\d{1,18}$/)
    .exactOptional(),
  since: z.number().exactOptional(),
  until: z.number().exactOptional(),
  eventType: z.string().exactOptional(),
  correlationId: z.string().exactOptional(),
  text: z.string().exactOptional(),
});

const startedShape = z.object({
  selection: z.union([
    z.strictObject({ filter: filterShape }),
    z.strictObject({ ids: z.array(z.string()) }),
    z.strictObject({ saved: z.string() }),
  ]),
  edit: z.strictObject({
    set: z.record(z.string(), z.unknown()).exactOptional(),
    newId: z.boolean().exactOptional(),
    value_sha256: z.string().exactOptional(),
  }),
  snapshot: z.string().regex(/^\d{1,18}$/),
  even_refused: z.boolean(),
  even_stored: z.boolean(),
});

/** What a run was asked to do, as the event says with which it began. */
export type StartedRun = {
  readonly act: 'redrive' | 'fix';
  readonly by: string;
  /** Null: a saved selection, which is not in the event. */
  readonly selection: Exclude<Selection, { kind: 'saved' }> | null;
  readonly edit: { readonly set?: Readonly<Record<string, unknown>>; readonly newId?: boolean };
  readonly snapshot: bigint;
  readonly evenRefused: boolean;
  readonly evenStored: boolean;
};

/** How a selection stands in an act's event. */
export const statedSelection = (selection: Selection): z.infer<typeof startedShape>['selection'] => {
  if (selection.kind === 'filter') return { filter: selection.filter as z.infer<typeof filterShape> };
  if (selection.kind === 'saved') return { saved: selection.name };
  return { ids: selection.ids.map(letterId) };
};

/** Read with proof from the ledger. Rejects with REDRIVE_UNKNOWN when no run of this id began, or its event is no such event. */
export const readStartedRun = async ({ ledger }: Pick<DeskPorts, 'ledger'>, runId: string): Promise<StartedRun> => {
  const key = eventKey(runId);
  const entry = await ledger.client.get(Buffer.from(key));
  if (entry === null) throw unknownRun(runId, 'the ledger has no event with which it began');
  await ledger.reads.verifyEntry(entry);
  const event = JSON.parse(decodeEventValue(key, entry.value).json.toString()) as Readonly<Record<string, unknown>>;
  const act = event['event_type'] === 'deadletter.fix.started' ? 'fix' : 'redrive';
  const parsed = startedShape.safeParse(event['event_data']);
  if (event['event_type'] !== `deadletter.${act}.started` || !parsed.success) {
    throw unknownRun(runId, 'the event of this id did not begin a redrive');
  }
  const { selection, edit, snapshot, even_refused, even_stored } = parsed.data;
  const { set, newId } = edit;
  const kept = { ...(set !== undefined && { set }), ...(newId !== undefined && { newId }) };
  return {
    ...{ act, by: String(event['actor_id']), edit: kept, snapshot: BigInt(snapshot) },
    selection: selectionOf(selection),
    evenRefused: even_refused,
    evenStored: even_stored,
  };
};

const selectionOf = (stated: z.infer<typeof startedShape>['selection']): StartedRun['selection'] => {
  if ('filter' in stated) return { kind: 'filter', filter: stated.filter };
  return 'ids' in stated ? { kind: 'ids', ids: stated.ids.map(parseLetterId) } : null;
};

const unknownRun = (runId: string, why: string) => new PipelineError('REDRIVE_UNKNOWN', `redrive ${runId}: ${why}`);
