import { setTimeout as sleep } from 'node:timers/promises';
import { PipelineError } from '../errors.ts';
import { readMarks } from '../sinks/immudb/marks.ts';
import type { DeskPorts } from './desk-ports.ts';

const lookEveryMs = 200;

/**
 * Resolves when the ledger covers the source topic up to these offsets: what was sent below them is settled. Rejects
 * with REDRIVE_NOT_SETTLED after `waitMs`, and with the signal's reason.
 */
export const untilPassed = async (
  ports: Pick<DeskPorts, 'ledger' | 'sourceLog' | 'retry'>,
  ends: ReadonlyMap<number, bigint>,
  limits: { readonly waitMs: number; readonly signal: AbortSignal },
): Promise<void> => {
  const { ledger, sourceLog, retry } = ports;
  const wanted = [...ends].filter(([, end]) => end > 0n);
  const deadline = performance.now() + limits.waitMs;
  for (;;) {
    const look = async () => {
      await ledger.ready();
      return await readMarks(
        ledger,
        sourceLog.number,
        wanted.map(([partition]) => partition),
      );
    };
    const marks = await retry('reading the marks', look, limits.signal);
    const behind = wanted.filter(([partition, end]) => (marks.get(partition)?.next ?? 0n) < end);
    if (behind.length === 0) return;
    if (performance.now() > deadline) throw notSettled(behind.map(([partition]) => partition));
    await sleep(lookEveryMs, undefined, { signal: limits.signal });
  }
};

const notSettled = (partitions: readonly number[]) =>
  new PipelineError(
    'REDRIVE_NOT_SETTLED',
    `the pipeline has not come to the end of partition ${partitions.join(', ')}`,
  );
