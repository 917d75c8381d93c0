import type { Random } from '../../../src/producers/random.ts';
import type { Gap, GapReason, KafkaRecord } from '../../../src/schemas/record.ts';
import type { LogBounds } from '../../../src/consumers/source.ts';

/** What is true of a record, whatever the pipeline makes of it. `content`: equal for equal events of one id. */
export type Truth =
  { readonly kind: 'event'; readonly eventId: string; readonly content: string } | { readonly kind: 'poison' };

export type Item =
  | { readonly kind: 'record'; readonly record: KafkaRecord; readonly truth: Truth; isCompacted: boolean }
  | { readonly kind: 'control' | 'aborted' };

/** One partition in one life of its topic. Nothing that ever was in it is forgotten, for the audit. */
export const kafkaLog = (partition: number, life: number) => {
  const items: Item[] = [];
  let start = 0;

  const reasonAt = (offset: number): GapReason | null => {
    const item = items[offset];
    if (item === undefined || item.kind === 'record') return item?.isCompacted === true ? 'absent' : null;
    return item.kind;
  };

  return {
    partition,
    life,
    items: items as readonly Item[],
    start: () => start,
    end: () => items.length,
    bounds: (): LogBounds => ({ start: BigInt(start), end: BigInt(items.length) }),
    append: (value: Buffer | null, truth: Truth): Item => {
      const offset = BigInt(items.length);
      const timestamp = 1_767_225_600_000n + offset * 7n + BigInt(life);
      const record: KafkaRecord = {
        ...{ partition, offset, value, timestamp, timestampType: 'create' },
        ...{ key: Buffer.from(`key-${partition}`), headers: [] },
      };
      const item: Item = { kind: 'record', record, truth, isCompacted: false };
      items.push(item);
      return item;
    },
    mark: (kind: 'control' | 'aborted') => items.push({ kind }),
    /** Never the last record, which Kafka keeps. */
    compact: (random: Random) => {
      const last = items.findLastIndex((item) => item.kind === 'record');
      items.forEach((item, offset) => {
        if (item.kind === 'record' && offset < last && random.chance(0.3)) item.isCompacted = true;
      });
    },
    deleteBelow: (offset: number) => (start = Math.max(start, Math.min(offset, items.length))),
    /** What a fetch from `from` brings: at most so many offsets. */
    read: (from: number, count: number) => {
      const next = Math.min(items.length, from + count);
      const records: KafkaRecord[] = [];
      const gaps: Gap[] = [];
      for (let offset = from; offset < next; offset += 1) {
        const item = items[offset];
        const reason = reasonAt(offset);
        if (reason === null && item?.kind === 'record') records.push(item.record);
        if (reason === null) continue;
        const before = gaps.at(-1);
        const gap = { from: BigInt(offset), to: BigInt(offset + 1), reason };
        if (before?.to === gap.from && before.reason === reason) gaps[gaps.length - 1] = { ...before, to: gap.to };
        else gaps.push(gap);
      }
      return { next, records, gaps };
    },
  };
};

export type SimulatedLog = ReturnType<typeof kafkaLog>;
