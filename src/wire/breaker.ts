import type { HeldPartition, Reason, ReleasedPartition } from '../cli/commands.ts';
import type { Config } from '../config.ts';
import type { DeskPorts } from '../redrive/desk-ports.ts';
import { heldPartitions, releaseHeld } from '../redrive/release.ts';
import { openDeskPorts } from './dead-letters.ts';

export const breakerHolds = (config: Config): Promise<readonly HeldPartition[]> => atDesk(config, heldPartitions);

export const breakerRelease = (
  config: Config,
  partition: number | null,
  reason: Reason,
): Promise<readonly ReleasedPartition[]> => atDesk(config, (ports) => releaseHeld(ports, partition, reason));

const atDesk = async <T>(config: Config, work: (ports: DeskPorts) => Promise<T>): Promise<T> => {
  const { ports, close } = await openDeskPorts(config);
  try {
    return await work(ports);
  } finally {
    await close();
  }
};
