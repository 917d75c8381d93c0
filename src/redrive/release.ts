import { PipelineError } from '../errors.ts';
import { releaseBreaker, requireOperatorName } from '../sinks/immudb/acts.ts';
import { markKey } from '../sinks/immudb/format/keys.ts';
import { requireWriteRight } from '../sinks/immudb/letter-acts.ts';
import { readMarks } from '../sinks/immudb/marks.ts';
import { publishAct, type ActEvent } from './act-event.ts';
import type { DeskPorts } from './desk-ports.ts';
import { requireReason } from './discard.ts';

/** A partition that the breaker holds: from which offset on, since which transaction, and why. */
export type Held = { readonly partition: number; readonly next: bigint; readonly tx: bigint; readonly why: string };
export type Released = Omit<Held, 'why'>;

type Reason = { readonly by: string; readonly why: string };

/** The breaker's state lies in the ledger, so it is the same for every instance, and outlives them. */
export const heldPartitions = async ({
  ledger,
  sourceLog,
  partitions,
}: Pick<DeskPorts, 'ledger' | 'sourceLog' | 'partitions'>): Promise<Held[]> => {
  const all = Array.from({ length: partitions }, (_, index) => index);
  const marks = await readMarks(ledger, sourceLog.number, all);
  return [...marks.values()].flatMap(({ partition, next, tx, breaker }) =>
    breaker?.isHolding === true ? [{ partition, next, tx, why: breaker.why }] : [],
  );
};

/**
 * Lets held partitions go on: this one, or all of them (null). Rejects with BREAKER_NOT_HOLDING, and tells nobody, when
 * there is nothing to release. One that cannot be released ends it; the event that ends the act names those that were.
 */
export const releaseHeld = async (ports: DeskPorts, partition: number | null, reason: Reason): Promise<Released[]> => {
  requireReason(reason);
  requireOperatorName(reason.by);
  const { ledger, sourceLog } = ports;
  const held = (await heldPartitions(ports)).filter((one) => partition === null || one.partition === partition);
  if (held.length === 0) throw notHolding(partition);
  await requireRight(ports, held);
  const tell = teller(ports, reason, held);
  await tell('started', 'pending', {});
  const released: Released[] = [];
  try {
    for (const one of held) {
      const made = await releaseBreaker(ledger, { log: sourceLog.number, partition: one.partition, ...reason });
      released.push({ partition: one.partition, ...made });
    }
  } catch (error) {
    await tell('finished', 'failure', { released: released.map(stated) }).catch(() => undefined);
    throw error;
  }
  await tell('finished', 'success', { released: released.map(stated) });
  return released;
};

const notHolding = (partition: number | null) =>
  new PipelineError(
    'BREAKER_NOT_HOLDING',
    `the breaker ${partition === null ? 'holds no partition' : `does not hold partition ${partition}`}`,
  );

const requireRight = async ({ ledger, sourceLog }: DeskPorts, [first]: readonly Held[]): Promise<void> => {
  const key = markKey(sourceLog.number, first?.partition ?? 0);
  const mark = await ledger.client.get(Buffer.from(key));
  if (mark !== null) await requireWriteRight(ledger, { key, value: mark.value });
};

const teller = (ports: DeskPorts, { by, why }: Reason, held: readonly Held[]) => {
  const runId = ports.newId();
  return (phase: ActEvent['phase'], outcome: ActEvent['outcome'], more: object): Promise<void> => {
    const data = { why, held: held.map((one) => ({ ...stated(one), why: one.why })), ...more };
    return publishAct(ports, { act: 'release', phase, runId, by, outcome, data });
  };
};

const stated = ({ partition, next, tx }: Released) => ({ partition, next: String(next), tx: String(tx) });
