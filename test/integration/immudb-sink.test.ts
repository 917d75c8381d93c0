import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { accountFor } from '../../src/queries/account.ts';
import { valueSha256 } from '../../src/schemas/record-hash.ts';
import { encodeSetRequest, type LedgerClient } from '../../src/sinks/immudb/client.ts';
import type { Tx } from '../../src/sinks/immudb/answers.ts';
import { decodeDead } from '../../src/sinks/immudb/format/dead-value.ts';
import { decodeEventValue } from '../../src/sinks/immudb/format/event-value.ts';
import { deadKey, eventKey, markKey } from '../../src/sinks/immudb/format/keys.ts';
import { decodeMark, encodeMark, type Mark } from '../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../src/sinks/immudb/format/parse-key.ts';
import { decodePosting, decodeTimePosting } from '../../src/sinks/immudb/format/posting-value.ts';
import { maxTxEntries } from '../../src/sinks/immudb/transaction.ts';
import { retrying } from '../../src/sinks/with-retry.ts';
import type { CommitOutcome, Outcome, Sink, Span } from '../../src/sinks/sink.ts';
import { startStack } from '../../stack/start.ts';
import type { Stack } from '../../stack/stack.ts';
import { startTcpRelay, type TcpRelay } from '../fakes/tcp-relay.ts';
import { makeSinkLedger, recordOf, sinkLimits, spanOf, storedAt, type SinkLedger } from '../support/sink-ledger.ts';
import { until } from '../support/until.ts';
import { deleteKey } from '../support/written-ledger.ts';

// The sink on a real immudb, which this file alone owns: it is killed here.

let stack: Stack;
let relay: TcpRelay;
let made: SinkLedger[] = [];
beforeAll(async () => {
  stack = await startStack({ kafka: false });
  relay = await startTcpRelay();
  relay.target(stack.immudb.port);
}, 300_000);
afterAll(async () => {
  await relay.close();
  await stack.stop();
});
afterEach(async () => {
  for (const ledger of made) await ledger.close();
  made = [];
});

const newLedger = async (): Promise<SinkLedger> => {
  const ledger = await makeSinkLedger(stack.immudb);
  made.push(ledger);
  return ledger;
};

const composed = (sink: Sink, spans: readonly Span[]) => sink.compose({ spans }, () => Promise.resolve());
const write = async (sink: Sink, spans: readonly Span[]): Promise<CommitOutcome> =>
  sink.commit(await composed(sink, spans));
const written = async (sink: Sink, spans: readonly Span[]): Promise<bigint> => {
  const outcome = await write(sink, spans);
  if (outcome.kind !== 'written') throw new Error(`not written but ${outcome.kind}`);
  return outcome.tx;
};
const lastTx = async ({ client }: SinkLedger): Promise<bigint> => (await client.currentState()).txId;

/** Every event with its transaction; fails if one is stored twice or an offset is not accounted for once. */
const accounted = async ({ client }: SinkLedger): Promise<Map<string, bigint>> => {
  const events = new Map<string, bigint>();
  const onEvent = (id: string, tx: bigint) => {
    expect([id, events.get(id)]).toEqual([id, undefined]);
    events.set(id, tx);
  };
  expect((await accountFor(client, { onEvent })).deviations).toEqual([]);
  return events;
};

const dead = (partition: number, offset: bigint): Outcome => ({
  ...{ kind: 'dead', sha256: 'ab'.repeat(32), code: 'JSON_INVALID', message: 'no JSON', correlationId: 'rr-1' },
  record: recordOf(partition, offset, Buffer.from('{')),
  dlq: { partition: 3, offset: 17n },
});

describe('written', () => {
  test('every kind of outcome and a gap: what lies in the ledger decodes to what was composed', async () => {
    const ledger = await newLedger();
    const { sink, writerId } = await ledger.openSink();
    expect((await sink.open([0, 1, 5])).size).toBe(0);
    const first = storedAt(0, 100n);
    const sha256 = valueSha256(first.record.value);
    const again = { ...first, kind: 'duplicate' as const, sha256, record: recordOf(0, 101n, first.record.value) };
    const duplicate: Outcome = { ...again, eventId: first.facts.eventId };
    const gaps = [{ from: 103n, to: 110n, reason: 'aborted' as const }];
    const other = storedAt(5, 0n);
    const spans = [spanOf(0, 100n, [first, duplicate, dead(0, 102n)], gaps), spanOf(5, 0n, [other])];
    const outcome = await write(sink, spans);
    const last = { offset: 102n, timestamp: dead(0, 102n).record.timestamp, sha256: 'ab'.repeat(32) };
    expect(outcome).toMatchObject({ kind: 'written', tx: 3n });
    expect([...(await sink.open([0, 1, 5])).values()]).toEqual([
      { partition: 0, tx: 3n, next: 110n, last },
      { partition: 5, tx: 3n, next: 1n, last: spans[1]?.last },
    ]);
    const gotten = async (key: string) => (await ledger.client.get(Buffer.from(key)))?.value ?? Buffer.alloc(0);
    const key = eventKey(first.facts.eventId);
    const { source, json } = decodeEventValue(key, await gotten(key));
    expect(json).toEqual(first.json);
    expect(source).toMatchObject({ log: 1, partition: 0, offset: 100n, sha256 });
    const mark = decodeMark(markKey(1, 0), await gotten(markKey(1, 0)));
    const dlq = { log: 2, partition: 3, offset: 17n };
    expect(mark).toEqual({
      ...{ first: 100n, next: 110n, prev: null, last, stored: 1, gaps, writer: writerId },
      duplicates: [{ offset: 101n, eventId: first.facts.eventId, sha256 }],
      dead: [{ offset: 102n, code: 'JSON_INVALID', dlq, sha256: 'ab'.repeat(32) }],
    });
    const letter = deadKey({ log: 1, partition: 0, offset: 102n });
    expect(decodeDead(letter, await gotten(letter))).toMatchObject({
      state: 'open',
      attempt: 1,
      dlq,
      message: 'no JSON',
    });
    expect([...(await accounted(ledger)).keys()].sort()).toEqual([first.facts.eventId, other.facts.eventId].sort());
  });

  test('a composed-ahead transaction names the one before it, whose number it could not know', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink();
    await sink.open([0]);
    const one = spanOf(0, 0n, [storedAt(0, 0n)]);
    const [before, after] = [await composed(sink, [one]), await composed(sink, [spanOf(0, 1n, [storedAt(0, 1n)])])];
    expect(await sink.commit(before)).toMatchObject({ kind: 'written', tx: 3n });
    expect(await sink.commit(after)).toMatchObject({ kind: 'written', tx: 4n });
    const mark = await ledger.client.get(Buffer.from(markKey(1, 0)));
    expect(decodeMark(markKey(1, 0), mark?.value ?? Buffer.alloc(0)).prev).toEqual({ tx: 3n, next: 1n });
    expect((await accounted(ledger)).size).toBe(2);
  });

  test('coverage that does not begin where the ledger ends is not sent', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink();
    await sink.open([0]);
    await written(sink, [spanOf(0, 0n, [storedAt(0, 0n)])]);
    for (const offset of [0n, 5n]) {
      const outcome = await write(sink, [spanOf(0, offset, [storedAt(0, offset)])]);
      expect(outcome).toMatchObject({ kind: 'moved', standings: [{ partition: 0, next: 1n, tx: 3n }] });
    }
    expect(await lastTx(ledger)).toBe(3n);
  });
});

describe('not written', () => {
  test('exists: the event that is there comes back with its bytes and its transaction', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink();
    await sink.open([0, 1]);
    const first = storedAt(0, 0n);
    const { eventId } = first.facts;
    await written(sink, [spanOf(0, 0n, [first])]);
    const changed = storedAt(1, 0n, { event_id: eventId, event_action: 'other' });
    const fresh = storedAt(1, 1n);
    const outcome = await write(sink, [spanOf(1, 0n, [changed, fresh])]);
    expect(outcome.kind === 'exists' && [...outcome.events.values()]).toEqual([{ eventId, tx: 3n, json: first.json }]);
    expect(await lastTx(ledger)).toBe(3n);
    expect([...(await sink.find([fresh.facts.eventId, eventId])).keys()]).toEqual([eventId]);
    await written(sink, [spanOf(1, 0n, [dead(1, 0n), fresh])]);
    expect((await accounted(ledger)).size).toBe(2);
  });

  test('moved: another sink was first; the standing it left is what a new batch goes on from', async () => {
    const ledger = await newLedger();
    const [one, two] = [await ledger.openSink(), await ledger.openSink()];
    await one.sink.open([0, 1]);
    await two.sink.open([0, 1]);
    const theirs = spanOf(0, 0n, [storedAt(0, 0n)]);
    const ours = await composed(two.sink, [spanOf(0, 0n, [storedAt(0, 0n)]), spanOf(1, 0n, [storedAt(1, 0n)])]);
    await written(one.sink, [theirs]);
    expect(await two.sink.commit(ours)).toEqual({
      kind: 'moved',
      standings: [{ partition: 0, tx: 3n, next: 1n, last: theirs.last }],
    });
    expect(await lastTx(ledger)).toBe(3n);
    expect(await written(two.sink, [spanOf(0, 1n, [storedAt(0, 1n)]), spanOf(1, 0n, [storedAt(1, 0n)])])).toBe(4n);
    // The first one does not know of that yet, and is fenced in the same way.
    const late = await write(one.sink, [spanOf(0, 1n, [storedAt(0, 1n)])]);
    expect(late).toMatchObject({ kind: 'moved', standings: [{ partition: 0, tx: 4n, next: 2n }] });
    expect((await accounted(ledger)).size).toBe(3);
  });

  test.each(['event', 'mark'] as const)('a deleted %s is tampering, not a new key', async (kind) => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink();
    await sink.open([0, 1]);
    const first = storedAt(0, 0n);
    await written(sink, [spanOf(0, 0n, [first])]);
    const key = kind === 'event' ? eventKey(first.facts.eventId) : markKey(1, 0);
    await deleteKey(stack.immudb, ledger.database, Buffer.from(key));
    const again = storedAt(1, 0n, { event_id: first.facts.eventId });
    const next = kind === 'event' ? spanOf(1, 0n, [again]) : spanOf(0, 1n, [storedAt(0, 1n)]);
    const commit = await composed(sink, [next]);
    for (let round = 0; round < 2; round += 1) {
      await expect(sink.commit(commit)).rejects.toMatchObject({
        code: 'LEDGER_KEY_DELETED',
        message: `key ${key} was deleted`,
      });
    }
    expect(await lastTx(ledger)).toBe(4n);
  });
});

describe('unknown outcome', () => {
  const cut = {
    'the connection is cut': async (ledger: SinkLedger, before: bigint) => {
      await until(async () => (await lastTx(ledger)) > before, { what: 'the write to arrive' });
      relay.drop();
    },
    'the answer never comes': () => Promise.resolve(),
  };
  test.each(Object.entries(cut))('%s after the request was sent: found as its own, written once', async (_, hurt) => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink({ port: relay.port, deadlineMs: 2000 });
    await sink.open([0, 1]);
    await written(sink, [spanOf(0, 0n, [storedAt(0, 0n)])]);
    const spans = [spanOf(0, 1n, [storedAt(0, 1n)]), spanOf(1, 0n, [storedAt(1, 0n)])];
    const commit = await composed(sink, spans);
    const before = await lastTx(ledger);
    relay.swallowAnswers();
    const lost = expect(sink.commit(commit)).rejects.toMatchObject({ disposition: 'retry', outcome: 'unknown' });
    await hurt(ledger, before);
    await lost;
    relay.drop();
    expect(await lastTx(ledger)).toBe(before + 1n);
    expect(await again(() => sink.commit(commit))).toMatchObject({ kind: 'written', tx: before + 1n });
    expect(await lastTx(ledger)).toBe(before + 1n);
    await written(sink, [spanOf(1, 1n, [storedAt(1, 1n)])]);
    expect((await accounted(ledger)).size).toBe(4);
  });

  test('the write did not arrive: sent again, once', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink({ port: relay.port, deadlineMs: 500 });
    await sink.open([0]);
    const commit = await composed(sink, [spanOf(0, 0n, [storedAt(0, 0n)])]);
    relay.blackhole();
    await expect(sink.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    relay.drop();
    expect(await lastTx(ledger)).toBe(2n);
    expect(await again(() => sink.commit(commit))).toMatchObject({ kind: 'written', tx: 3n });
    expect((await accounted(ledger)).size).toBe(1);
  });

  test('another sink wrote meanwhile: moved, not mistaken for its own', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink({ port: relay.port, deadlineMs: 500 });
    const other = await ledger.openSink();
    await sink.open([0]);
    await other.sink.open([0]);
    const commit = await composed(sink, [spanOf(0, 0n, [storedAt(0, 0n)])]);
    relay.blackhole();
    await expect(sink.commit(commit)).rejects.toMatchObject({ outcome: 'unknown' });
    relay.drop();
    await written(other.sink, [spanOf(0, 0n, [storedAt(0, 0n)])]);
    expect(await again(() => sink.commit(commit))).toMatchObject({ kind: 'moved', standings: [{ tx: 3n, next: 1n }] });
    expect((await accounted(ledger)).size).toBe(1);
  });

  test('connections cut at 40 random moments: every event is stored exactly once', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink({ port: relay.port, deadlineMs: 2000 });
    await sink.open([0]);
    let cuts = 0;
    for (let offset = 0n; offset < 40n; offset += 1n) {
      const commit = await composed(sink, [spanOf(0, offset, [storedAt(0, offset)])]);
      const cutting = sleep(Math.random() * 4).then(() => relay.drop());
      const first = sink.commit(commit).catch(() => (cuts += 1));
      await cutting;
      const outcome = await first;
      if (typeof outcome === 'number')
        expect(await again(() => sink.commit(commit))).toMatchObject({ kind: 'written' });
    }
    expect((await accounted(ledger)).size).toBe(40);
    expect(cuts).toBeGreaterThan(0);
  }, 60_000);

  test('the server is killed and started anew: the session is opened again, the ledger proven, the batch written', async () => {
    const ledger = await newLedger();
    const { sink, ledger: open } = await ledger.openSink();
    await sink.open([0]);
    await written(sink, [spanOf(0, 0n, [storedAt(0, 0n)])]);
    const commit = await composed(sink, [spanOf(0, 1n, [storedAt(0, 1n)])]);
    await stack.immudb.server.kill();
    await expect(sink.commit(commit)).rejects.toMatchObject({ disposition: 'retry' });
    await stack.immudb.server.start();
    expect(await again(() => sink.commit(commit))).toMatchObject({ kind: 'written', tx: 4n });
    expect(open.trusted.current().id).toBe(4n);
    await ledger.client.reopen().catch(() => undefined);
    await again(() =>
      ledger.client.currentState().catch(async (error: unknown) => {
        await ledger.client.reopen();
        throw error;
      }),
    );
    expect((await accounted(ledger)).size).toBe(2);
  }, 60_000);
});

/** As the pipeline does: anything that may be tried again is. */
const again = <T>(work: () => Promise<T>): Promise<T> =>
  retrying({ initialMs: 50, maxMs: 500, maxElapsedMs: 20_000 })('trying again', work, new AbortController().signal);

describe('limits', () => {
  type Fields = Readonly<Record<string, unknown>>;
  const shapes: readonly [what: string, fields: (n: number) => Fields, atLeast: number][] = [
    ['events that share everything', () => ({ correlation_id: 'one', event_timestamp: '2026-01-31T12:00:00Z' }), 1000],
    [
      'events that share nothing, each in an hour of its own',
      (n) => ({
        ...{ correlation_id: `c${n}`, event_type: `type.${n}`, actor_id: `a${n}` },
        event_timestamp: new Date(Date.UTC(2020, 0, 1, n)).toISOString(),
      }),
      200,
    ],
    [
      'keys of the greatest length',
      (n) => ({
        ...{ correlation_id: `${n}${'c'.repeat(240)}`, event_type: `t${n}.${'x'.repeat(90)}` },
        ...{ actor_type: `${n}${'ü'.repeat(40)}`, actor_id: `${n}${'a'.repeat(200)}` },
        event_timestamp: new Date(Date.UTC(2020, 0, 1, n)).toISOString(),
      }),
      200,
    ],
  ];
  test.each(shapes)(
    'as many %s as the budget takes fit into one transaction',
    async (_, fields, atLeast) => {
      const ledger = await newLedger();
      const { sink } = await ledger.openSink();
      await sink.open([0, 1, 2, 3]);
      const budget = sink.budget();
      const taken = new Map<number, Outcome[]>([0, 1, 2, 3].map((partition) => [partition, []]));
      for (let n = 0; n <= maxTxEntries; n += 1) {
        const outcomes = taken.get(n % 4) ?? [];
        const outcome = storedAt(n % 4, BigInt(outcomes.length), fields(n));
        const bytes = outcome.record.value?.length ?? 0;
        if (!budget.take({ partition: n % 4, bytes, facts: outcome.facts })) break;
        outcomes.push(outcome);
      }
      const spans = [...taken].map(([partition, outcomes]) => spanOf(partition, 0n, outcomes));
      const count = spans.reduce((sum, { outcomes }) => sum + outcomes.length, 0);
      const commit = await composed(sink, spans);
      expect(commit.entries).toBeLessThanOrEqual(maxTxEntries);
      expect(count).toBeGreaterThanOrEqual(atLeast);
      expect(await sink.commit(commit)).toMatchObject({ kind: 'written', tx: 3n });
      expect((await accounted(ledger)).size).toBe(count);
      expect(await postedIds(ledger.client)).toEqual({ time: count, corr: count, type: count, actor: count });
    },
    60_000,
  );

  test('exactly 1,024 entries are taken, and one more is not sent', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink();
    await sink.open([0]);
    const letters = (count: number) => Array.from({ length: count }, (_, n) => dead(0, BigInt(n)));
    const tooMany = await composed(sink, [spanOf(0, 0n, letters(maxTxEntries))]);
    expect(tooMany.entries).toBe(maxTxEntries + 1);
    await expect(sink.commit(tooMany)).rejects.toThrow('more than 1024 entries');
    expect(await lastTx(ledger)).toBe(2n);
    const full = await composed(sink, [spanOf(0, 0n, letters(maxTxEntries - 1))]);
    expect(full.entries).toBe(maxTxEntries);
    expect(await sink.commit(full)).toMatchObject({ kind: 'written', tx: 3n });
    await accounted(ledger);
  });

  test('the largest records that one transaction takes', async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink();
    await sink.open([0]);
    const budget = sink.budget();
    const outcomes: Outcome[] = [];
    for (let n = 0; n < 100; n += 1) {
      const outcome = storedAt(0, BigInt(n), { event_data: { note: 'x'.repeat(200_000) } });
      if (!budget.take({ partition: 0, bytes: outcome.record.value?.length ?? 0, facts: outcome.facts })) break;
      outcomes.push(outcome);
    }
    expect(outcomes.length).toBe(Math.floor(sinkLimits.maxBytes / (outcomes[0]?.record.value?.length ?? 1)));
    await written(sink, [spanOf(0, 0n, outcomes)]);
    expect((await accounted(ledger)).size).toBe(outcomes.length);
  });
});

/** Distinct events in each family of postings; every posting must decode. */
const postedIds = async (client: LedgerClient): Promise<Record<string, number>> => {
  const posted: Record<string, number> = {};
  for (const family of ['time', 'corr', 'type', 'actor']) {
    const ids = new Set<string>();
    const decodeRows = family === 'time' ? decodeTimePosting : decodePosting;
    for (const { key, value } of await client.scan({ prefix: Buffer.from(`${family}/`), limit: 5000 })) {
      for (const { eventId } of decodeRows(key.toString(), value)) ids.add(eventId);
    }
    posted[family] = ids.size;
  }
  return posted;
};

describe('the account', () => {
  /** A ledger with two honest transactions of one partition. */
  const honest = async () => {
    const ledger = await newLedger();
    const { sink } = await ledger.openSink();
    await sink.open([0]);
    await written(sink, [spanOf(0, 0n, [storedAt(0, 0n), storedAt(0, 1n), dead(0, 2n)])]);
    await written(sink, [spanOf(0, 3n, [storedAt(0, 3n)])]);
    await accounted(ledger);
    return ledger;
  };

  const served: readonly [what: string, serve: (txs: Tx[]) => Tx[]][] = [
    ['an entry left out', (txs) => txs.map((tx) => ({ ...tx, entries: tx.entries.slice(1) }))],
    ['a value with another byte', (txs) => txs.map((tx) => ({ ...tx, entries: tx.entries.map(altered) }))],
    ['two entries exchanged', (txs) => txs.map((tx) => ({ ...tx, entries: tx.entries.toReversed() }))],
    ['a transaction left out', (txs) => txs.filter(({ header }) => header.id !== 3n)],
    ['a transaction twice', (txs) => txs.flatMap((tx) => (tx.header.id === 3n ? [tx, tx] : [tx]))],
    ['another time', (txs) => txs.map((tx) => ({ ...tx, header: { ...tx.header, ts: tx.header.ts + 1n } }))],
  ];
  const altered = (entry: Tx['entries'][number]) => {
    const value = Buffer.from(entry.storedValue);
    const at = value.indexOf('x'.repeat(20));
    if (at !== -1) value[at] = 0x79;
    return { ...entry, storedValue: value };
  };
  test('names what a server serves otherwise than it was written', async () => {
    const { client } = await honest();
    for (const [what, serve] of served) {
      const lying: LedgerClient = {
        ...client,
        txScan: async (from, limit, entries) => (from > 1n ? [] : serve(await client.txScan(from, limit, entries))),
      };
      expect([what, (await accountFor(lying)).deviations.length]).not.toEqual([what, 0]);
    }
  });

  const mark = (fields: Partial<Mark>): [string, Buffer] => [
    markKey(1, 0),
    encodeMark({
      ...{ first: 4n, next: 5n, prev: { tx: 4n, next: 4n }, last: null, stored: 0, duplicates: [], dead: [] },
      ...{ gaps: [{ from: 4n, to: 5n, reason: 'absent' }], writer: '00000000-0000-4000-8000-000000000000' },
      ...fields,
    }),
  ];
  const gap = (from: bigint, to: bigint) => ({ gaps: [{ from, to, reason: 'absent' as const }] });
  /** Transactions that are proven and wrong: what an account is for. */
  const forged: readonly [what: string, entries: () => [string, Buffer][], deviation: RegExp][] = [
    [
      'offsets left out',
      () => [mark({ first: 6n, next: 7n, prev: { tx: 4n, next: 6n }, ...gap(6n, 7n) })],
      /begins at 6, not 4/,
    ],
    [
      'offsets covered again',
      () => [mark({ first: 3n, prev: { tx: 4n, next: 3n }, ...gap(3n, 5n) })],
      /begins at 3, not 4/,
    ],
    ['another mark before', () => [mark({ prev: { tx: 3n, next: 4n } })], /names another mark before it/],
    ['an event that is not there', () => [mark({ stored: 1, gaps: [] })], /states 1 stored, there are 0/],
    [
      'a dead letter that is not there',
      () => {
        const dlq = { log: 2, partition: 0, offset: 0n };
        return [mark({ gaps: [], dead: [{ offset: 4n, code: 'JSON_INVALID', dlq, sha256: 'ab'.repeat(32) }] })];
      },
      /dead offset 4 has no dead letter/,
    ],
    ['a key of somebody else', () => [['stray', Buffer.from('x')]], /key stray is not of this format/],
  ];
  test.each(forged)('finds %s', async (_, entries, deviation) => {
    const { client } = await honest();
    const given = entries().map(([key, value]) => ({ key: Buffer.from(key), value }));
    await client.set(encodeSetRequest({ entries: given }));
    const { deviations } = await accountFor(client);
    expect(deviations).toContainEqual(expect.stringMatching(deviation));
    expect(deviations.every((each) => each.startsWith('transaction 5: '))).toBe(true);
  });

  test('finds an event without a mark, and reads every key of its own format', async () => {
    const { client } = await honest();
    const txs = await client.txScan(1n, 10, 'raw');
    const kinds = txs.flatMap(({ entries }) =>
      entries.map((each) => parseKey(each.storedKey.subarray(1).toString()).kind),
    );
    expect(new Set(kinds)).toEqual(
      new Set(['format', 'log', 'event', 'time', 'corr', 'type', 'actor', 'dead', 'mark']),
    );
    const event = txs[2]?.entries.find((each) => each.storedKey.subarray(1).toString().startsWith('event/'));
    const value = event?.storedValue.subarray(1) ?? Buffer.alloc(0);
    const key = Buffer.from(eventKey(storedAt(0, 0n).facts.eventId));
    await client.set(encodeSetRequest({ entries: [{ key, value }] }));
    expect((await accountFor(client)).deviations).toContainEqual(
      expect.stringMatching(/events of 1\/0 without a mark/),
    );
  });
});
