import { scanLetters } from '../sinks/immudb/letters.ts';
import type { DeskPorts } from './desk-ports.ts';

/** What became of the letters of one run: under way, or how their records were settled. */
export type RunCounts = {
  readonly redriving: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly dead: number;
};

/** By reading every dead letter of the ledger once. */
export const countRun = async (ports: Pick<DeskPorts, 'ledger' | 'logs'>, runId: string): Promise<RunCounts> => {
  const counts = { redriving: 0, stored: 0, duplicate: 0, dead: 0 };
  for (const { number } of ports.logs) {
    for await (const page of scanLetters(ports.ledger, { log: number })) {
      for (const { dead } of page) {
        if (dead.state === 'redriving' && dead.nonce === runId) counts.redriving += 1;
        else if (dead.state === 'redriven' && dead.nonce === runId) counts[dead.redriven.as] += 1;
      }
    }
  }
  return counts;
};
