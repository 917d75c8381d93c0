import { expect, test } from '@jest/globals';
import { offsetCommitter } from '../../../../src/consumers/kafka/committer.ts';
import type { CommittedOffset } from '../../../../src/consumers/source.ts';

const offset = (partition: number, next: number): CommittedOffset => ({ partition, next: BigInt(next), metadata: '' });

/** A committer on a broker that answers when told to. */
const committing = (everyMs: number) => {
  const sent: { readonly offsets: readonly string[]; readonly at: number }[] = [];
  let answer: () => Promise<void> = () => Promise.resolve();
  const broker = {
    commit: (offsets: readonly CommittedOffset[]) => {
      sent.push({
        offsets: offsets.map(({ partition, next }) => `${partition}:${next.toString()}`),
        at: performance.now(),
      });
      return answer();
    },
  };
  const committer = offsetCommitter(broker, everyMs);
  committer.reset(1);
  return { committer, sent, answers: (how: () => Promise<void>) => (answer = how) };
};

test('the first goes at once, those after it together when their time has come, the newest of each partition', async () => {
  const { committer, sent } = committing(50);
  expect(await committer.commit([offset(0, 1)], 1)).toBe(true);
  const later = [[offset(0, 2)], [offset(0, 3), offset(1, 7)], [offset(1, 8)]].map((offsets) =>
    committer.commit(offsets, 1),
  );
  expect(await Promise.all(later)).toEqual([true, true, true]);
  expect(sent.map(({ offsets }) => offsets)).toEqual([['0:1'], ['0:3', '1:8']]);
  expect(sent[1]!.at - sent[0]!.at).toBeGreaterThanOrEqual(49);
});

test('who asks for idleness does not wait for the time to come', async () => {
  const { committer, sent } = committing(600_000);
  await committer.commit([offset(0, 1)], 1);
  const last = committer.commit([offset(0, 2)], 1);
  await committer.idle();
  expect(sent.map(({ offsets }) => offsets)).toEqual([['0:1'], ['0:2']]);
  expect(await last).toBe(true);
});

test('offsets of an older epoch are refused, and forgotten while they wait', async () => {
  const { committer, sent } = committing(600_000);
  await committer.commit([offset(0, 1)], 1);
  const waiting = committer.commit([offset(0, 2)], 1);
  committer.reset(2);
  expect(await committer.commit([offset(0, 3)], 1)).toBe(false);
  await committer.idle();
  expect(await waiting).toBe(false);
  expect(sent).toHaveLength(1);
});

test('a broker that refuses is told of as not taken, never by an error', async () => {
  const { committer, answers } = committing(0);
  answers(() => Promise.reject(new Error('rebalance in progress')));
  expect(await committer.commit([offset(0, 1)], 1)).toBe(false);
  answers(() => Promise.resolve());
  expect(await committer.commit([offset(0, 2)], 1)).toBe(true);
});
