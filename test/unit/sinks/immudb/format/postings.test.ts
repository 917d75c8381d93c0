import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EventFacts } from '../../../../../src/schemas/decoded.ts';
import { encodeSegment } from '../../../../../src/sinks/immudb/format/segment.ts';
import { maxKeyBytes, spanWidthUs } from '../../../../../src/sinks/immudb/format/keys.ts';
import { isPostingKey, parseKey, type PostingKey } from '../../../../../src/sinks/immudb/format/parse-key.ts';
import { postingBudget } from '../../../../../src/sinks/immudb/format/posting-budget.ts';
import type { PostingRow } from '../../../../../src/sinks/immudb/format/posting-rows.ts';
import { decodePosting, decodeTimePosting } from '../../../../../src/sinks/immudb/format/posting-value.ts';
import { planPostings, type Posting } from '../../../../../src/sinks/immudb/format/postings.ts';
import { anyRows } from './arbitraries.ts';
import { refusalOf } from './refusal.ts';

const placed = (posting: Posting): PostingKey => {
  const key = parseKey(posting.key);
  if (!isPostingKey(key)) throw new Error(`${posting.key} is no posting`);
  return key;
};

const rowsOf = (posting: Posting) =>
  placed(posting).kind === 'time'
    ? decodeTimePosting(posting.key, posting.value)
    : decodePosting(posting.key, posting.value);

const listOf = ({ key }: Posting): string => key.split('/').slice(0, -3).join('/');

/** Every list that an event belongs in. */
const listsOf = ({ correlationId, eventType, actorType, actorId }: EventFacts): string[] => [
  'time',
  `corr/${encodeSegment(correlationId)}`,
  `type/${encodeSegment(eventType)}`,
  ...(actorType === null || actorId === null ? [] : [`actor/${encodeSegment(actorType)}/${encodeSegment(actorId)}`]),
];

const transactions = [
  { events: anyRows(8), numRuns: 60 },
  { events: anyRows(60), numRuns: 15 },
  { events: anyRows(300), numRuns: 3 },
];
const forAny = (check: (rows: PostingRow[]) => void): void => {
  for (const { events, numRuns } of transactions) fc.assert(fc.property(events, check), { numRuns });
};

describe('the postings of a transaction', () => {
  test('hold each event once in each of its lists, and nothing else', () => {
    forAny((rows) => {
      const held = planPostings(rows).flatMap((posting) =>
        rowsOf(posting).map((row) => `${listOf(posting)} ${row.eventId}`),
      );
      const wanted = rows.flatMap(({ facts }) => listsOf(facts).map((list) => `${list} ${facts.eventId}`));
      expect(held.sort()).toEqual(wanted.sort());
    });
  });

  test('give back the facts', () => {
    forAny((rows) => {
      const times = planPostings(rows).filter((posting) => placed(posting).kind === 'time');
      const read = times.flatMap((posting) => decodeTimePosting(posting.key, posting.value));
      const byId = (a: EventFacts, b: EventFacts): number => (a.eventId < b.eventId ? -1 : 1);
      expect(read.sort(byId)).toEqual(rows.map(({ facts }) => facts).sort(byId));
    });
  });

  test('keep the promise of their span, tightly, and name time and record of their first row', () => {
    forAny((rows) => {
      const records = new Map(rows.map(({ facts, ...at }) => [facts.eventId, at]));
      for (const posting of planPostings(rows)) {
        const { span, timeUs, first } = placed(posting);
        const times = rowsOf(posting).map((row) => row.timeUs);
        const spread = Math.max(...times) - Math.min(...times);
        expect(timeUs).toBe(Math.min(...times));
        expect(spread).toBeLessThan(spanWidthUs[span]);
        if (span > 0) expect(spread).toBeGreaterThanOrEqual(spanWidthUs[span === 2 ? 1 : 0]);
        expect(first).toEqual(records.get(rowsOf(posting)[0]!.eventId));
      }
    });
  });

  test('have different keys, within the limit', () => {
    forAny((rows) => {
      const keys = planPostings(rows).map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
      expect(Math.max(0, ...keys.map((key) => key.length))).toBeLessThanOrEqual(maxKeyBytes);
    });
  });

  test('do not depend on the order in which the events are given', () => {
    forAny((rows) => {
      expect(planPostings(rows.toReversed())).toEqual(planPostings(rows));
    });
  });

  test('are none for no events', () => {
    expect(planPostings([])).toEqual([]);
  });
});

describe('the budget', () => {
  test('is never exceeded, in entries and in bytes, and its growth adds up', () => {
    forAny((rows) => {
      const budget = postingBudget();
      let grown = 0;
      for (const { facts } of rows) {
        const more = budget.add(facts);
        expect(more).toBeGreaterThanOrEqual(0);
        grown += more;
      }
      const postings = planPostings(rows);
      const bytes = postings.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
      expect(budget.entries()).toBe(grown);
      expect(postings.length).toBeLessThanOrEqual(grown);
      expect(bytes).toBeLessThanOrEqual(budget.bytes());
    });
  });

  test('holds for a part of what was added', () => {
    forAny((rows) => {
      const budget = postingBudget();
      for (const { facts } of rows) budget.add(facts);
      expect(planPostings(rows.slice(0, rows.length / 2)).length).toBeLessThanOrEqual(budget.entries());
    });
  });

  test('of one event is one entry per list', () => {
    expect(postingBudget().add(event(0).facts)).toBe(4);
    expect(postingBudget().add(event(0, { actorId: null }).facts)).toBe(3);
    expect(postingBudget().entries()).toBe(0);
  });

  test('of a busy second is one entry per list, with nothing to spare', () => {
    const budget = postingBudget();
    for (let at = 0; at < 800; at++) budget.add(event(at * 1_000).facts);
    expect(budget.entries()).toBe(4);
  });

  test('counts a clock hour of a list once, in whatever order hours come', () => {
    const hour = 3_600_000_000;
    const budget = postingBudget();
    for (let at = 0; at < 96; at++) budget.add(event((at % 3) * hour, { eventId: id(at) }).facts);
    expect(budget.entries()).toBe(3 * 4 + 8 + 6);
  });
});

const id = (at: number): string => `0196b1c5-0000-7000-8000-${String(at + 1).padStart(12, '0')}`;

/** Past midnight, so at the start of an hour. */
const midnight = Date.UTC(2026, 0, 1) * 1_000;

const event = (afterUs: number, change: Partial<EventFacts> = {}): PostingRow => ({
  log: 1,
  partition: 0,
  offset: BigInt(afterUs),
  facts: {
    eventId: id(afterUs),
    eventType: 'a.b',
    category: 'c',
    outcome: 'success',
    correlationId: 'rr-1',
    timeUs: midnight + afterUs,
    severity: null,
    actorType: 'service',
    actorId: 'gateway',
    resourceType: null,
    resourceId: null,
    namespace: null,
    ...change,
  },
});

const spansOf = (rows: PostingRow[], kind: string): string =>
  planPostings(rows)
    .map(placed)
    .filter((key) => key.kind === kind)
    .map(({ span }) => span)
    .join('');

describe('how a list is cut', () => {
  const second = 1_000_000;
  const minute = 60 * second;

  test('one posting where one second holds all', () => {
    expect(spansOf([event(0), event(second - 1)], 'time')).toBe('0');
  });

  test('a straggler does not widen the others, but a correlation of two stays together', () => {
    const rows = [event(0), event(1), event(2), event(10 * minute)];
    expect(spansOf(rows, 'time')).toBe('00');
    expect(spansOf(rows, 'corr')).toBe('2');
  });

  test('many rows over many minutes are cut into minutes, few are not', () => {
    const every = (count: number, us: number) => Array.from({ length: count }, (_, at) => event(at * us));
    expect(spansOf(every(400, 3 * second), 'time')).toBe('1'.repeat(20));
    expect(spansOf(every(20, 2 * minute), 'time')).toBe('2');
  });

  test('equal times split between postings leave different keys', () => {
    const rows = [0, 1, 2, 3]
      .map((at) => event(0, { eventId: id(at) }))
      .map((row, at) => ({ ...row, offset: BigInt(at) }));
    expect(planPostings(rows)).toHaveLength(4);
    expect(new Set(planPostings(rows).map(({ key }) => key)).size).toBe(4);
  });
});

describe('a posting is refused', () => {
  const [time] = planPostings([event(0), event(5)]).filter((posting) => placed(posting).kind === 'time');
  const [corr] = planPostings([event(0), event(5)]).filter((posting) => placed(posting).kind === 'corr');
  const changed = (posting: Posting, from: string, to: string): Buffer => {
    expect(posting.value.toString()).toContain(from);
    return Buffer.from(posting.value.toString().replace(from, to));
  };
  const short = (at: number): string => `["${midnight + at}","${id(at)}"]`;

  test('under the key of another family', () => {
    expect(refusalOf(() => decodePosting(time!.key, time!.value))).toContain('not the key');
    expect(refusalOf(() => decodeTimePosting(corr!.key, corr!.value))).toContain('not the key');
    expect(refusalOf(() => decodePosting('corr/x', corr!.value))).toContain('not the key');
  });

  test.each<[string, string, string]>([
    ['row 0', short(0), '1'],
    ['row 1', short(5), `["${midnight + 5}","${id(5)}",1]`],
    ['row 1', short(5), `["${midnight + 5}","${id(5).toUpperCase()}"]`],
    ['row 1', short(5), `[${midnight + 5},"${id(5)}"]`],
    ['in order', short(5), short(0)],
    ["key's time", `${short(0)},`, ''],
    ["key's time", `${short(0)},${short(5)}`, ''],
    ['further apart', short(5), short(1_000_000)],
    ['rows is not', '"rows"', '"row"'],
    ['v is not 1', '"v":1', '"v":2'],
  ])('for %s: %s as %s', (reason, from, to) => {
    const message = refusalOf(() => decodePosting(corr!.key, changed(corr!, from, to)));
    expect(message).toContain(reason);
    expect(message).toContain(corr!.key);
  });

  test.each([
    ['"a.b"', 'null'],
    ['"rr-1"', '7'],
    ['null', 'true'],
    ['"gateway"', '"\\ud800"'],
    ['"gateway",', ''],
  ])('of time for %s as %s', (from, to) => {
    expect(refusalOf(() => decodeTimePosting(time!.key, changed(time!, from, to)))).toContain('row 0');
  });
});
