import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCalendarDay, maxEventTimeUs, parseEventTime } from '../../../src/schemas/event-time.ts';

const us = (iso: string, more = 0) => Date.parse(iso) * 1000 + more;

describe('event time', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0],
    ['2199-12-31T23:59:59.999999Z', maxEventTimeUs],
    ['2199-12-31T23:59:59.9999999999Z', maxEventTimeUs],
    ['2026-03-02t08:14:05z', us('2026-03-02T08:14:05Z')],
    ['2026-03-02T08:14:05.1Z', us('2026-03-02T08:14:05.100Z')],
    ['2026-03-02T08:14:05.000001Z', us('2026-03-02T08:14:05Z', 1)],
    ['2026-03-02T08:14:05.0000019Z', us('2026-03-02T08:14:05Z', 1)],
    ['2026-03-02T08:14:05-00:00', us('2026-03-02T08:14:05Z')],
    ['2026-03-02T00:14:05+05:45', us('2026-03-01T18:29:05Z')],
    ['1969-12-31T23:30:00-01:00', us('1970-01-01T00:30:00Z')],
    ['2200-01-01T00:59:59+01:00', us('2199-12-31T23:59:59Z')],
    ['2024-02-29T00:00:00Z', us('2024-02-29T00:00:00Z')],
    ['2016-12-31T23:59:60Z', us('2017-01-01T00:00:00Z')],
    ['2016-12-31T23:59:60.5Z', us('2017-01-01T00:00:00.500Z')],
    ['2017-01-01T05:29:60+05:30', us('2017-01-01T00:00:00Z')],
  ])('%s is %d', (text, expected) => {
    expect(parseEventTime(text)).toBe(expected);
  });

  test.each([
    '',
    '2026-03-02',
    '2026-03-02T08:14:05',
    '2026-03-02 08:14:05Z',
    '2026-03-02T08:14Z',
    '2026-03-02T08:14:05.Z',
    '2026-03-02T08:14:05,1Z',
    '2026-03-02T08:14:05Z ',
    ' 2026-03-02T08:14:05Z',
    '2026-03-02T08:14:05ZZ',
    '2026-03-02T08:14:05+1:00',
    '2026-03-02T08:14:05+0100',
    '2026-03-02T08:14:05+24:00',
    '2026-03-02T08:14:05+01:60',
    '2026-13-02T08:14:05Z',
    '2026-00-02T08:14:05Z',
    '2026-02-00T08:14:05Z',
    '2026-02-30T08:14:05Z',
    '2100-02-29T08:14:05Z',
    '2026-03-02T24:00:00Z',
    '2026-03-02T08:60:00Z',
    '2026-03-02T08:14:60Z',
    '2016-12-31T22:59:60Z',
    '2016-12-30T23:59:60Z',
    '2016-12-31T23:59:61Z',
    '2199-12-31T23:59:60Z',
    '1969-12-31T23:59:59.999999Z',
    '1970-01-01T00:00:00+00:01',
    '2200-01-01T00:00:00Z',
    '0001-01-01T00:00:00Z',
    '+02026-03-02T08:14:05Z',
    '２０26-03-02T08:14:05Z',
    `2026-03-02T08:14:05.${'1'.repeat(100)}Z`,
  ])('%s is none', (text) => {
    expect(parseEventTime(text)).toBeNull();
  });

  const instants = fc.integer({ min: 0, max: maxEventTimeUs });
  const pad = (number: number, width: number) => String(number).padStart(width, '0');

  test('agrees with Date for every instant and zone', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: -1439, max: 1439 }), fc.nat({ max: 999_999 }), (time, zone, finer) => {
        const ms = Math.floor(time / 1000);
        const local = new Date(ms + zone * 60_000);
        fc.pre(local.getTime() >= 0 && local.getUTCFullYear() <= 9999);
        const size = Math.abs(zone);
        const zoneText = `${zone < 0 ? '-' : '+'}${pad(Math.floor(size / 60), 2)}:${pad(size % 60, 2)}`;
        const text = `${local.toISOString().slice(0, 23)}${pad(time % 1000, 3)}${pad(finer, 6)}${zoneText}`;
        expect(parseEventTime(text)).toBe(time);
      }),
    );
  });

  test('is never anything but null or a safe integer in range', () => {
    const shaped = fc.stringMatching(
      /^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$/,
    );
    fc.assert(
      fc.property(fc.oneof(fc.string(), shaped), (text) => {
        const time = parseEventTime(text);
        return time === null || (Number.isSafeInteger(time) && time >= 0 && time <= maxEventTimeUs);
      }),
    );
  });
});

test('a calendar day', () => {
  expect(['2026-03-02', '2024-02-29'].every(isCalendarDay)).toBe(true);
  expect(['2026-02-29', '2026-3-2', '2026-03-02T', '2026/03/02'].some(isCalendarDay)).toBe(false);
});
