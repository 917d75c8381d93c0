import { rootHere } from '../../../support/root-here.ts';
import { describe, expect, test } from '@jest/globals';
import type { TxHeader } from '../../../../src/proofs/header.ts';
import { headerOf } from '../../../../src/sinks/immudb/answers.ts';
import { compose, type ComposedTransaction } from '../../../../src/sinks/immudb/compose.ts';
import { LedgerError, ledgerError } from '../../../../src/sinks/immudb/errors.ts';
import { decodeEventValue } from '../../../../src/sinks/immudb/format/event-value.ts';
import { eventKey, markKey } from '../../../../src/sinks/immudb/format/keys.ts';
import { decodeMark } from '../../../../src/sinks/immudb/format/mark-value.ts';
import { setRequest } from '../../../../src/sinks/immudb/proto/messages.ts';
import { writer, type WritableLedger } from '../../../../src/sinks/immudb/write.ts';
import type { Span, Standing, StoredEvent } from '../../../../src/sinks/sink.ts';
import { newDatabase } from '../../../fakes/immudb-database.ts';
import { spanOf, storedAt } from '../../../support/sink-ledger.ts';

// The write protocol alone, on the database of the fake immudb: what happens between its steps, one case at a time.

const lost = (outcome: 'unknown' | 'not-written') => new LedgerError('LEDGER_TIMEOUT', 'no answer', { outcome });

const rig = () => {
  const database = newDatabase('ledger', { maxTxEntries: 1024, maxKeyLen: 1024, maxTransactions: 1000 });
  database.set(setRequest.decode(setRequest.encode({ entries: [{ key: Buffer.from('meta'), value: Buffer.of(1) }] })));
  const sent = { count: 0 };
  let trusted = 1n;
  const apply = (request: Buffer): TxHeader => {
    try {
      return headerOf(database.set(setRequest.decode(request)).header as never);
    } catch (error) {
      throw ledgerError(error, 'Set');
    }
  };
  const readMarks = (partitions: readonly number[]): Promise<ReadonlyMap<number, Standing>> => {
    const byKey = new Map(partitions.map((partition) => [markKey(1, partition), partition]));
    const entries = database.getAll([...byKey.keys()].map((key) => Buffer.from(key)));
    const marks = entries.map(({ tx, key, value }): [number, Standing] => {
      const partition = byKey.get(key.toString()) ?? -1;
      const { next, last } = decodeMark(key.toString(), value);
      return [partition, { partition, tx, next, last }];
    });
    return Promise.resolve(new Map(marks));
  };
  const ledger: WritableLedger = {
    set: (request) => {
      sent.count += 1;
      return steps.set(request);
    },
    rootOf: rootHere,
    header: (tx) => Promise.resolve(headerOf(database.known(tx).header as never)),
    readMarks: (partitions) => steps.readMarks(partitions),
    find: (ids) => {
      const found = database
        .getAll(ids.map((id) => Buffer.from(eventKey(id))))
        .map(({ tx, key, value }): StoredEvent => {
          const { json } = decodeEventValue(key.toString(), value);
          return { eventId: key.toString().slice('event/'.length), tx, json };
        });
      return Promise.resolve(new Map(found.map((event) => [event.eventId, event])));
    },
    hasActed: () => Promise.resolve(false),
    findDeleted: () => Promise.resolve([]),
    trustedTx: () => trusted,
    follow: (header) => steps.follow(header),
  };
  /** What a test puts in the way of one step; each is as it should be when left alone. */
  const steps = {
    set: async (request: Buffer): Promise<TxHeader> => {
      await Promise.resolve();
      return apply(request);
    },
    readMarks,
    follow: (header: TxHeader): Promise<void> => {
      trusted = header.id;
      return Promise.resolve();
    },
  };
  const honest = { ...steps };
  const write = writer(ledger, 2);
  const composed = (spans: readonly Span[], by = 'us') =>
    compose({ spans }, { source: 1, deadLetters: 2 }, by, () => Promise.resolve());
  /** Another process on the same ledger. */
  const other = writer(
    { ...ledger, set: (request) => honest.set(Buffer.from(request)), readMarks, follow: () => Promise.resolve() },
    2,
  );
  const otherWrites = async (spans: readonly Span[]) => {
    other.stand(await readMarks(spans.map(({ partition }) => partition)));
    return await other.commit(await composed(spans, 'another'));
  };
  /** The next write fails so, before or after it came into effect. */
  const failOnce = (when: 'before' | 'after', error: Error) => {
    steps.set = (request) => {
      steps.set = honest.set;
      if (when === 'after') apply(request);
      return Promise.reject(error);
    };
  };
  return { database, write, composed, otherWrites, steps, honest, sent, apply, failOnce, readMarks };
};

const one = (partition: number, offset: bigint): Span => spanOf(partition, offset, [storedAt(partition, offset)]);
const txs = ({ database }: ReturnType<typeof rig>) => database.chain.txs.length;

describe('our own write, whose answer was lost', () => {
  test('is found when it is tried again, and not sent again', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n), one(1, 0n)]);
    all.failOnce('after', lost('unknown'));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'written', tx: 2n });
    expect([all.sent.count, txs(all)]).toEqual([1, 2]);
  });

  test('is ours, too, when the marks were read for another reason before: after a lost session', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n)]);
    all.failOnce('after', lost('unknown'));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    all.write.stand(await all.readMarks([0]));
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'written', tx: 2n });
    expect(txs(all)).toBe(2);
  });

  test('is ours when it comes into effect only after we looked, and refuses the second attempt', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n)]);
    const onItsWay: Buffer[] = [];
    all.steps.set = (request) => {
      onItsWay.push(Buffer.from(request));
      return Promise.reject(lost('unknown'));
    };
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    all.steps.set = (request) => {
      all.apply(onItsWay[0]!);
      return all.honest.set(request);
    };
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'written', tx: 2n });
    expect([all.sent.count, txs(all)]).toEqual([2, 2]);
  });

  test('is ours after a second attempt that was surely not written', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n)]);
    const onItsWay: Buffer[] = [];
    all.steps.set = (request) => {
      onItsWay.push(Buffer.from(request));
      return Promise.reject(lost('unknown'));
    };
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    all.failOnce('before', lost('not-written'));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'not-written' });
    all.apply(onItsWay[0]!);
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'written', tx: 2n });
    expect(txs(all)).toBe(2);
  });

  test('is written although another writer has gone on with one of its partitions; that one is fenced next', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n), one(1, 0n)]);
    all.failOnce('after', lost('unknown'));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    await all.otherWrites([one(1, 1n)]);
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'written', tx: 2n });
    const next = await all.write.commit(await all.composed([one(0, 1n), one(1, 1n)]));
    expect(next).toEqual({ kind: 'moved', standings: [expect.objectContaining({ partition: 1, tx: 3n, next: 2n })] });
  });

  test('is written, and found so, when the chain could not be followed at once', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n)]);
    all.steps.follow = () => {
      all.steps.follow = all.honest.follow;
      return Promise.reject(lost('not-written'));
    };
    await expect(all.write.commit(commit)).rejects.toMatchObject({ disposition: 'retry' });
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'written', tx: 2n });
    expect([all.sent.count, txs(all)]).toEqual([1, 2]);
  });
});

describe('another writer', () => {
  test('moves some partitions: only these are told, with where they stand', async () => {
    const all = rig();
    const theirs = one(1, 0n);
    await all.otherWrites([theirs]);
    const commit = await all.composed([one(0, 0n), one(1, 0n), one(2, 0n)]);
    expect(await all.write.commit(commit)).toEqual({
      kind: 'moved',
      standings: [{ partition: 1, tx: 2n, next: 1n, last: theirs.last }],
    });
    expect(txs(all)).toBe(2);
  });

  test('that wrote the same coverage is not taken for us', async () => {
    const all = rig();
    const span = one(0, 0n);
    const commit = await all.composed([span]);
    all.failOnce('before', lost('unknown'));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    await all.otherWrites([span]);
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'moved', standings: [{ next: 1n }] });
    expect(txs(all)).toBe(2);
  });

  test('whose mark a read beside us finds while we look is met before anything is sent', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n), one(1, 0n)]);
    all.failOnce('before', lost('unknown'));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    all.steps.readMarks = async (partitions) => {
      const before = await all.readMarks(partitions);
      await all.otherWrites([one(1, 0n)]);
      all.write.stand(await all.readMarks([1]));
      return before;
    };
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'moved', standings: [{ partition: 1, next: 1n }] });
    expect(all.sent.count).toBe(1);
  });

  test('that only stated a mark anew stands in nobody’s way', async () => {
    const all = rig();
    await all.write.commit(await all.composed([one(0, 0n)]));
    const anew = spanOf(0, 1n, []);
    expect(await all.otherWrites([anew])).toMatchObject({ kind: 'written', tx: 3n });
    expect(await all.write.commit(await all.composed([one(0, 1n)]))).toMatchObject({ kind: 'written', tx: 4n });
  });
});

describe('refused', () => {
  test('for events that are there already: told with what is there', async () => {
    const all = rig();
    const first = storedAt(0, 0n);
    await all.write.commit(await all.composed([spanOf(0, 0n, [first])]));
    const again = { ...first, record: { ...first.record, partition: 1 } };
    const outcome = await all.write.commit(await all.composed([spanOf(1, 0n, [again])]));
    expect(outcome.kind === 'exists' && [...outcome.events.keys()]).toEqual([first.facts.eventId]);
  });

  test('and nothing explains it: so many times as was said, then it halts', async () => {
    const all = rig();
    all.steps.set = () => Promise.reject(new LedgerError('LEDGER_REFUSED_PRECONDITION', 'no', { outcome: 'refused' }));
    await expect(all.write.commit(await all.composed([one(0, 0n)]))).rejects.toMatchObject({
      code: 'LEDGER_CONTENDED',
    });
    expect(all.sent.count).toBe(3);
  });

  test('for another reason than a precondition passes through, and the batch can still be written', async () => {
    const all = rig();
    const commit = await all.composed([one(0, 0n)]);
    all.failOnce('before', lost('not-written'));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ outcome: 'not-written' });
    expect(await all.write.commit(commit)).toMatchObject({ kind: 'written', tx: 2n });
  });
});

describe('a header that is not of what was sent', () => {
  const lies: readonly [what: string, lie: (header: TxHeader) => TxHeader][] = [
    ['another root', (header) => ({ ...header, eH: Buffer.alloc(32, 1) })],
    ['another count', (header) => ({ ...header, nentries: header.nentries + 1 })],
    ['an old id', (header) => ({ ...header, id: 1n })],
  ];
  test.each(lies)('%s halts', async (_, lie) => {
    const all = rig();
    const commit: ComposedTransaction = await all.composed([one(0, 0n)]);
    all.steps.set = async (request) => lie(await all.honest.set(request));
    await expect(all.write.commit(commit)).rejects.toMatchObject({ code: 'LEDGER_HEADER_MISMATCH' });
  });
});
