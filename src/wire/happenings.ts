import type { Readiness } from '../http/readiness.ts';
import type { Happenings } from '../pipeline/happenings.ts';
import type { Telemetry } from '../telemetry.ts';

/** Who else wants to know what happens in the pipeline. */
export type Listeners = {
  /** Of all members one at a time has partition 0: it alone publishes checkpoints. */
  readonly own: (isOwner: boolean) => void;
  readonly failed: (error: Error) => void;
};

/** What happens in the pipeline, told to telemetry, and to readiness where a partition is held until a person acts. */
export const toldHappenings = (
  telemetry: Telemetry,
  readiness: Pick<Readiness, 'meet' | 'miss'>,
  listeners: Listeners,
): Happenings => {
  const held = new Map<number, string>();
  const tellHeld = () => {
    if (held.size === 0) readiness.meet('no-partition-held');
    else readiness.miss('no-partition-held', [...held].map(([partition, why]) => `${partition}: ${why}`).join('; '));
  };
  tellHeld();
  return {
    ...telemetry,
    assigned: (epoch, partitions) => {
      held.clear();
      tellHeld();
      listeners.own(partitions.includes(0));
      telemetry.assigned(epoch, partitions);
    },
    letGo: () => {
      listeners.own(false);
      telemetry.letGo();
    },
    partitionHeld: (partition, tripped) => {
      const why = tripped === null ? 'accept the loss (immutrail gap accept) or not' : `${tripped} (immutrail breaker)`;
      held.set(partition, why);
      tellHeld();
      telemetry.partitionHeld(partition, tripped);
    },
    partitionReleased: (partition) => {
      held.delete(partition);
      tellHeld();
      telemetry.partitionReleased(partition);
    },
    failed: (error) => listeners.failed(error instanceof Error ? error : new Error(String(error))),
  };
};
