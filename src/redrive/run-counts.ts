import type { Coordinates } from '../sinks/immudb/format/keys.ts';
import { scanLetters, type LetterRange } from '../sinks/immudb/letters.ts';
import type { DeskPorts } from './desk-ports.ts';

/** What became of the letters of one run: under way, or how their records were settled. */
export type RunCounts = {
  readonly redriving: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly dead: number;
};

/** By reading the dead letters of these ranges once; without ranges, every one of the ledger. */
export const countRun = async (
  ports: Pick<DeskPorts, 'ledger' | 'logs'>,
  runId: string,
  ranges: readonly LetterRange[] = ports.logs.map(({ number }) => ({ log: number })),
): Promise<RunCounts> => {
  const counts = { redriving: 0, stored: 0, duplicate: 0, dead: 0 };
  for (const range of ranges) {
    for await (const page of scanLetters(ports.ledger, range)) {
      for (const { dead } of page) {
        if (dead.state === 'redriving' && dead.nonce === runId) counts.redriving += 1;
        else if (dead.state === 'redriven' && dead.nonce === runId) counts[dead.redriven.as] += 1;
      }
    }
  }
  return counts;
};

type Stretch = { log: number; partition: number; from: bigint; to: bigint };

/** Of each partition the stretch of offsets in which letters lie: two numbers, however many they are. */
export const stretches = () => {
  const byPartition = new Map<string, Stretch>();
  return {
    add: ({ log, partition, offset }: Coordinates): void => {
      const name = `${log}/${partition}`;
      const known = byPartition.get(name);
      if (known === undefined) byPartition.set(name, { log, partition, from: offset, to: offset + 1n });
      else if (offset < known.from) known.from = offset;
      else if (offset >= known.to) known.to = offset + 1n;
    },
    ranges: (): LetterRange[] => [...byPartition.values()],
  };
};
