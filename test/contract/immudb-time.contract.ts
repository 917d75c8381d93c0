import { describe, expect, test } from '@jest/globals';
import { encodeSetRequest, openLedgerClient } from '../../src/sinks/immudb/client.ts';
import { until } from '../support/until.ts';
import { b, refusedAs, texts, type Subject } from './immudb-subject.ts';

/** Deadlines, cancellation and a server that dies. */
export const timeContract = (the: Subject): void => {
  describe('time', () => {
    test('a deadline leaves a write unknown, and what it did can be read', async () => {
      const key = b(`${the.fresh()}k`);
      await the.rig.pause();
      const late = the.client.set(encodeSetRequest({ entries: [{ key, value: b('') }] }), { deadlineMs: 100 });
      await expect(late).rejects.toEqual(refusedAs('LEDGER_TIMEOUT', 'unknown'));
      await the.rig.resume();
      const entry = await the.client.get(key);
      expect([null, 1n]).toContain(entry === null ? null : entry.revision);
    });

    test('an abort leaves a write unknown; before it is sent, it is not written', async () => {
      await the.rig.pause();
      const stop = new AbortController();
      const request = encodeSetRequest({ entries: [{ key: b(`${the.fresh()}k`), value: b('') }] });
      const cancelled = the.client.set(request, { signal: stop.signal });
      setTimeout(() => stop.abort(), 20);
      await expect(cancelled).rejects.toEqual(refusedAs('LEDGER_TIMEOUT', 'unknown'));
      await the.rig.resume();
      const never = the.client.set(request, { signal: AbortSignal.abort() });
      await expect(never).rejects.toEqual(refusedAs('LEDGER_TIMEOUT', 'not-written'));
    });

    test('close has a deadline', async () => {
      const other = await openLedgerClient({ ...the.rig.options, database: 'contract' });
      await the.rig.pause();
      const hanging = expect(other.currentState()).rejects.toEqual(refusedAs('LEDGER_TIMEOUT', 'unknown'));
      const before = performance.now();
      await other.close(100);
      expect(performance.now() - before).toBeLessThan(2_000);
      await hanging;
      await the.rig.resume();
    });

    test('a server that dies under writes: none is acknowledged and lost, none is sent twice', async () => {
      const p = the.fresh();
      const acknowledged: string[] = [];
      const failures: unknown[] = [];
      const write = async (lane: number): Promise<void> => {
        for (let i = 0; failures.length < 4; i++) {
          const key = `${p}${lane}.${i}`;
          try {
            await the.put([key]);
            acknowledged.push(key);
          } catch (error) {
            failures.push(error);
            return;
          }
        }
      };
      const writing = [1, 2, 3, 4].map(write);
      await until(() => acknowledged.length > 20, { what: 'some writes' });
      await the.rig.kill();
      await Promise.all(writing);
      const retry = expect.objectContaining({ disposition: 'retry' });
      expect(failures).toEqual([retry, retry, retry, retry]);
      await the.rig.start();
      await the.reopenLost();
      const kept = await the.client.scan({ prefix: b(p), limit: 10_000 });
      expect(kept.every(({ revision }) => revision === 1n)).toBe(true);
      const keptKeys = new Set(texts(kept));
      expect(acknowledged.filter((key) => !keptKeys.has(key))).toEqual([]);
    });
  });
};
