import type { HeldPartition, Reason, ReleasedPartition } from '../cli/commands.ts';
import type { Config } from '../config.ts';
import { PipelineError } from '../errors.ts';
import { releaseBreaker } from '../sinks/immudb/acts.ts';
import type { Ledger, Log } from '../sinks/immudb/ledger.ts';
import { readMarks } from '../sinks/immudb/marks.ts';
import { connectKafkaAdmin, connectLedger, requireLog } from './connect.ts';

/** The breaker's state lies in the ledger, so it is the same for every instance, and outlives them. */
export const breakerHolds = (config: Config): Promise<readonly HeldPartition[]> => atLedger(config, heldOf);

export const breakerRelease = (
  config: Config,
  partition: number | null,
  reason: Reason,
): Promise<readonly ReleasedPartition[]> =>
  atLedger(config, async (at) => {
    const chosen = partition === null ? (await heldOf(at)).map((held) => held.partition) : [partition];
    if (chosen.length === 0) throw new PipelineError('BREAKER_NOT_HOLDING', 'the breaker holds no partition');
    const released: ReleasedPartition[] = [];
    for (const one of chosen) {
      released.push({
        partition: one,
        ...(await releaseBreaker(at.ledger, { log: at.log.number, partition: one, ...reason })),
      });
    }
    return released;
  });

type Place = { readonly ledger: Ledger; readonly log: Log; readonly partitions: readonly number[] };

const heldOf = async ({ ledger, log, partitions }: Place): Promise<HeldPartition[]> => {
  const marks = await readMarks(ledger, log.number, partitions);
  return [...marks.values()].flatMap(({ partition, next, tx, breaker }) =>
    breaker?.isHolding === true ? [{ partition, next, tx, why: breaker.why }] : [],
  );
};

const atLedger = async <T>(config: Config, work: (place: Place) => Promise<T>): Promise<T> => {
  const { topic } = config.kafka;
  const ledger = await connectLedger(config);
  try {
    const kafka = await connectKafkaAdmin(config);
    try {
      const log = await requireLog(ledger, topic);
      const count = await kafka.partitions(topic);
      return await work({ ledger, log, partitions: Array.from({ length: count }, (_, index) => index) });
    } finally {
      await kafka.close();
    }
  } finally {
    await ledger.close();
  }
};
