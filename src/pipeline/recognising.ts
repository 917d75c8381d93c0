import { recognise } from '../consumers/coverage.ts';
import type { Delivery } from '../consumers/source.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import type { OpenState } from './lane.ts';
import { replaced } from './survey.ts';

export type RecogniseOptions = {
  readonly sha256: (record: KafkaRecord) => string;
  /** How long a log may go unrecognised while records of it are stored. */
  readonly recogniseEveryMs: number;
  readonly now: () => number;
};

/** True when the delivery may be used. False: the last covered record must be seen first. */
export type Recognising = (open: OpenState, delivery: Delivery) => boolean;

/** Knows the log that the ledger covers by its last covered record. Throws LOG_REPLACED when another lies there. */
export const recognising = ({ sha256, recogniseEveryMs, now }: RecogniseOptions): Recognising => {
  const isFresh = ({ recognisedAt }: OpenState) => recognisedAt !== null && now() - recognisedAt < recogniseEveryMs;

  return (open, delivery) => {
    const { last } = open.position;
    // The ledger has seen no record of it, but some may wait: those must not be continued by another log's.
    if (last === null) return isFresh(open);
    const found = recognise(last, delivery, sha256, open.isCompacted);
    if (typeof found === 'object') throw replaced(found.replaced);
    if (found === 'elsewhere') {
      if (isFresh(open)) return true;
      open.recognisedAt = null;
      return false;
    }
    open.recognisedAt = now();
    if (found === 'gone') open.continued = { ...open.continued, unchecked: true };
    return true;
  };
};
