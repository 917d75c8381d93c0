import { expect, test } from '@jest/globals';
import { conditions, readiness, type Condition } from '../../../src/http/readiness.ts';

const setUp = () => {
  const changes: ReadonlyMap<Condition, boolean>[] = [];
  return { ready: readiness((change) => void changes.push(change)), changes };
};

test('nothing is ready before everything was met', () => {
  const { ready } = setUp();
  expect(ready.reasons()).toHaveLength(conditions.length);
  for (const condition of conditions) {
    expect(ready.reasons()).not.toEqual([]);
    ready.meet(condition);
  }
  expect(ready.reasons()).toEqual([]);
});

test('a miss says why, and a later reason replaces it', () => {
  const { ready } = setUp();
  for (const condition of conditions) ready.meet(condition);
  ready.miss('ledger-ready', 'no answer');
  ready.miss('ledger-ready', 'no session');
  expect(ready.reasons()).toEqual(['ledger-ready: no session']);
});

test('changes are told once each', () => {
  const { ready, changes } = setUp();
  ready.meet('kafka-joined');
  ready.meet('kafka-joined');
  ready.miss('kafka-joined', 'a');
  ready.miss('kafka-joined', 'b');
  expect(changes.map((change) => change.get('kafka-joined'))).toEqual([true, false]);
  expect([...(changes[0]?.keys() ?? [])]).toEqual([...conditions]);
});

test('stopping is final', () => {
  const { ready, changes } = setUp();
  for (const condition of conditions) ready.meet(condition);
  ready.stopping();
  ready.stopping();
  ready.meet('ledger-ready');
  expect(ready.reasons()).toEqual(['stopping']);
  expect([...(changes.at(-1)?.values() ?? [])].some(Boolean)).toBe(false);
  expect(changes).toHaveLength(conditions.length + 1);
});
