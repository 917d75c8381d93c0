import type { DeadState } from '../sinks/immudb/format/dead-value.ts';
import { scanLetters } from '../sinks/immudb/letters.ts';
import type { DeskPorts } from './desk-ports.ts';
import type { RunCounts } from './run-counts.ts';

/** One redrive, by the letters that it touched. */
export type RunStanding = RunCounts & { readonly runId: string; readonly by: string; readonly why: string };

export type DeadLetterStanding = {
  /** Open or under way: zero only when all are settled. */
  readonly depth: number;
  readonly byState: Readonly<Record<DeadState['state'], number>>;
  /** Unsettled ones by code. */
  readonly depthByCode: Readonly<Record<string, number>>;
  /** Redrives, newest first; the oldest are left out beyond a thousand. */
  readonly runs: readonly RunStanding[];
};

const maxRuns = 1000;

/** Adds up every dead letter of the ledger, each read with proof; memory does not grow with their number. */
export const standingOf = async ({ ledger, logs }: Pick<DeskPorts, 'ledger' | 'logs'>): Promise<DeadLetterStanding> => {
  const byState = { open: 0, redriving: 0, redriven: 0, discarded: 0 };
  const depthByCode = new Map<string, number>();
  const runs = new Map<string, Mutable<RunStanding>>();
  const countRun = (dead: DeadState): void => {
    if (dead.state !== 'redriving' && dead.state !== 'redriven') return;
    const { nonce: runId, by, why } = dead;
    const run = runs.get(runId) ?? { runId, by, why, redriving: 0, stored: 0, duplicate: 0, dead: 0 };
    run[dead.state === 'redriving' ? 'redriving' : dead.redriven.as] += 1;
    runs.set(runId, run);
    // Ids are UUIDs of version 7: the smallest is the oldest.
    if (runs.size > maxRuns) runs.delete([...runs.keys()].reduce((a, b) => (a < b ? a : b)));
  };
  for (const { number } of logs) {
    for await (const page of scanLetters(ledger, { log: number })) {
      for (const { dead } of page) {
        byState[dead.state] += 1;
        countRun(dead);
        if (dead.state === 'open' || dead.state === 'redriving') {
          depthByCode.set(dead.code, (depthByCode.get(dead.code) ?? 0) + 1);
        }
      }
    }
  }
  return {
    depth: byState.open + byState.redriving,
    byState,
    depthByCode: Object.fromEntries([...depthByCode].sort(([a], [b]) => (a < b ? -1 : 1))),
    runs: [...runs.values()].sort((a, b) => (a.runId < b.runId ? 1 : -1)),
  };
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
