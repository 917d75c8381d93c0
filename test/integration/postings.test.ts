import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventsByIndex, eventsByWalk, type EventsWanted } from '../../src/queries/exported-events.ts';
import { postedEvents } from '../../src/queries/postings.ts';
import { correlationHead, timeHead, typeHead } from '../../src/sinks/immudb/format/keys.ts';
import { parseEventTime } from '../../src/schemas/event-time.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { makeSinkLedger, spanOf, storedAt, type OpenSink, type SinkLedger } from '../support/sink-ledger.ts';

type Written = { timeUs: number; eventId: string; tx: bigint; correlationId: string; eventType: string };

let made: SinkLedger;
let opened: OpenSink;
const written: Written[] = [];
const start = Date.UTC(2026, 0, 1);
/** Spread so that postings of all three spans come about: bursts, minutes, hours, and some far off. */
const timesMs = (tx: number, i: number): number =>
  start + [i * 3, i * 700, (i * 7919 + tx * 104_729) % 3_600_000, (i * 15_485_863) % 86_400_000][(tx + i) % 4]!;

beforeAll(async () => {
  made = await makeSinkLedger((await sharedStack()).immudb);
  opened = await made.openSink();
  await opened.sink.open([0]);
  let next = 0n;
  for (let tx = 0; tx < 40; tx += 1) {
    const outcomes = Array.from({ length: 1 + ((tx * 13) % 60) }, (_, i) => {
      const eventTime = new Date(timesMs(tx, i)).toISOString();
      const fields = { event_timestamp: eventTime, correlation_id: `rr ${i % 7}/~`, event_type: `test.type${i % 3}` };
      return storedAt(0, next + BigInt(i), fields);
    });
    const batch = { spans: [spanOf(0, next, outcomes)] };
    const outcome = await opened.sink.commit(await opened.sink.compose(batch, () => Promise.resolve()));
    if (outcome.kind !== 'written') throw new Error(outcome.kind);
    for (const { facts } of outcomes)
      written.push({
        ...{ timeUs: facts.timeUs, eventId: facts.eventId, tx: outcome.tx },
        ...{ correlationId: facts.correlationId, eventType: facts.eventType },
      });
    next += BigInt(outcomes.length);
  }
}, 120_000);
afterAll(() => made.close());

const allOf = async <T>(given: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const one of given) list.push(one);
  return list;
};

const all = { fromUs: 0, toUs: Infinity, snapshotTx: 1_000_000n };
const expected = (is: (one: Written) => boolean) =>
  written
    .filter(is)
    .toSorted((a, b) => a.timeUs - b.timeUs || (a.eventId < b.eventId ? -1 : 1))
    .map(({ timeUs, eventId, tx }) => ({ timeUs, eventId, tx }));

test('every list gives its events once each, oldest first, across its spans', async () => {
  const { ledger } = opened;
  expect(await allOf(postedEvents(ledger, { head: timeHead, ...all }))).toEqual(expected(() => true));
  for (let i = 0; i < 7; i += 1) {
    const head = correlationHead(`rr ${i}/~`);
    const due = expected(({ correlationId }) => correlationId === `rr ${i}/~`);
    expect(await allOf(postedEvents(ledger, { head, ...all }))).toEqual(due);
  }
  const due = expected(({ eventType }) => eventType === 'test.type1');
  expect(await allOf(postedEvents(ledger, { head: typeHead('test.type1'), ...all }))).toEqual(due);
  expect(await allOf(postedEvents(ledger, { head: typeHead('none'), ...all }))).toEqual([]);
}, 60_000);

test('limits of time are exact to the microsecond, wherever they fall into a posting', async () => {
  const { ledger } = opened;
  const sorted = expected(() => true);
  for (const at of [0, 1, 17, Math.floor(sorted.length / 2), sorted.length - 1]) {
    const limit = sorted[at]?.timeUs ?? 0;
    for (const edge of [limit - 1, limit, limit + 1]) {
      const from = await allOf(postedEvents(ledger, { ...all, head: timeHead, fromUs: edge }));
      expect(from).toEqual(expected(({ timeUs }) => timeUs >= edge));
      const to = await allOf(postedEvents(ledger, { ...all, head: timeHead, toUs: edge }));
      expect(to).toEqual(expected(({ timeUs }) => timeUs < edge));
    }
  }
}, 60_000);

test('what later transactions posted is passed over', async () => {
  const snapshotTx = 20n;
  const given = await allOf(postedEvents(opened.ledger, { ...all, head: timeHead, snapshotTx }));
  expect(given).toEqual(expected(({ tx }) => tx <= snapshotTx));
  expect(given.length).toBeLessThan(written.length);
}, 60_000);

test('an export by the index and one that reads every transaction hold the same events', async () => {
  const { ledger } = opened;
  const end = await ledger.advance();
  const cases: EventsWanted[] = [
    { list: { by: 'correlation', value: 'rr 3/~' }, fromUs: 0, toUs: Infinity },
    { list: { by: 'type', value: 'test.type0' }, fromUs: parseEventTime('2026-01-01T00:10:00Z') ?? 0, toUs: Infinity },
    { list: { by: 'time' }, fromUs: 0, toUs: parseEventTime('2026-01-01T01:00:00Z') ?? 0 },
  ];
  for (const wanted of cases) {
    const byIndex = await allOf(eventsByIndex(ledger, wanted, end.id));
    const byWalk = await allOf(eventsByWalk(ledger, wanted, end));
    const texts = (events: typeof byIndex) => events.map(({ tx, value }) => `${tx} ${value.toString()}`).sort();
    expect(byIndex.length).toBeGreaterThan(10);
    expect(texts(byWalk)).toEqual(texts(byIndex));
  }
  const forged = { id: end.id, alh: new Uint8Array(32) };
  const wanted: EventsWanted = { list: { by: 'time' }, fromUs: 0, toUs: Infinity };
  await expect(allOf(eventsByWalk(ledger, wanted, forged))).rejects.toMatchObject({
    code: 'LEDGER_PROOF_FAILED',
  });
}, 60_000);
