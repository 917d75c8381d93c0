import { describe, expect, test } from '@jest/globals';
import type { Source } from '../../../src/consumers/source.ts';
import type { Ledger } from '../../../src/sinks/immudb/ledger.ts';
import type { CommitOutcome, Composed, Sink } from '../../../src/sinks/sink.ts';
import { toldLedger, toldSink, toldSource } from '../../../src/wire/told.ts';

const composed: Composed = { batch: { spans: [] }, entries: 1, bytes: 1 };
const written: CommitOutcome = { kind: 'written', tx: 1n, standings: [] };

const sinkThat = (commit: Sink['commit']) => {
  const told: unknown[] = [];
  const sink = toldSink({ commit } as Sink, {
    writesInFlight: (count) => void told.push(count),
    writeRefused: (why) => void told.push(why),
    awaitsCheckpoint: (tx) => void told.push(`awaits ${tx.toString()}`),
  });
  return { sink, told };
};

describe('told ports', () => {
  test('a write counts while it is in flight, however it ends', async () => {
    const good = sinkThat(() => Promise.resolve(written));
    expect(await good.sink.commit(composed)).toBe(written);
    expect(good.told).toEqual([1, 'awaits 1', 0]);
    const bad = sinkThat(() => Promise.reject(new Error('away')));
    await expect(bad.sink.commit(composed)).rejects.toThrow('away');
    expect(bad.told).toEqual([1, 0]);
  });

  test.each([{ kind: 'exists', events: new Map() } as const, { kind: 'moved', standings: [] } as const])(
    'a refusal is told as $kind',
    async (outcome) => {
      const { sink, told } = sinkThat(() => Promise.resolve(outcome));
      expect(await sink.commit(composed)).toBe(outcome);
      expect(told).toEqual([1, outcome.kind, 0]);
    },
  );

  test('only a commit that Kafka took is told', async () => {
    const told: number[] = [];
    let isTaken = false;
    const source = toldSource({ commit: () => Promise.resolve(isTaken) } as unknown as Source, {
      committed: (partitions) => void told.push(partitions),
    });
    const offsets = [{ partition: 1, next: 5n, metadata: '' }];
    expect(await source.commit(offsets, 1)).toBe(false);
    isTaken = true;
    expect(await source.commit(offsets, 1)).toBe(true);
    expect(told).toEqual([1]);
  });

  test('what awaits a checkpoint waits since its oldest record', async () => {
    const oldest: number[] = [];
    const sink = toldSink({ commit: () => Promise.resolve(written) } as unknown as Sink, {
      writesInFlight: () => undefined,
      writeRefused: () => undefined,
      awaitsCheckpoint: (_, oldestMs) => void oldest.push(oldestMs),
    });
    const at = (timestamp: bigint) => ({ record: { timestamp } });
    const spans = [{ outcomes: [at(3000n), at(1000n)] }, { outcomes: [at(2000n)] }];
    await sink.commit({ ...composed, batch: { spans } } as unknown as Composed);
    expect(oldest).toEqual([1000]);
  });

  test('a proof of the state is told', async () => {
    const told: bigint[] = [];
    const ledger = toldLedger({ advance: () => Promise.resolve({ id: 7n }) } as unknown as Ledger, {
      sessionReopened: () => undefined,
      stateProven: (tx) => void told.push(tx),
    });
    await ledger.advance();
    expect(told).toEqual([7n]);
  });

  test('only a session that was opened anew is told', async () => {
    let count = 0;
    let isNew = false;
    const ledger = toldLedger({ ready: () => Promise.resolve(isNew) } as Ledger, {
      sessionReopened: () => void (count += 1),
      stateProven: () => undefined,
    });
    await ledger.ready();
    isNew = true;
    expect(await ledger.ready()).toBe(true);
    expect(count).toBe(1);
  });
});
