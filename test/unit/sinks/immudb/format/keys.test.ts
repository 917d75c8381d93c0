import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maxEventTimeUs } from '../../../../../src/schemas/event-time.ts';
import * as digits from '../../../../../src/sinks/immudb/format/digits.ts';
import * as keys from '../../../../../src/sinks/immudb/format/keys.ts';
import { type LedgerKey, parseKey } from '../../../../../src/sinks/immudb/format/parse-key.ts';
import { decodeSegment, encodeSegment, type Segment } from '../../../../../src/sinks/immudb/format/segment.ts';
import { anyCoordinates, anyEventId, anyLog, anyPartition, anyText, anyTime } from './arbitraries.ts';
import { refusalOf } from './refusal.ts';

const anySpan = fc.constantFrom(...keys.spanLevels);
const anyPlace = fc.record({ span: anySpan, timeUs: anyTime, first: anyCoordinates });

const segmentOf = (text: string): Segment => decodeSegment(encodeSegment(text))!;

const written = (key: LedgerKey): string | null => {
  switch (key.kind) {
    case 'format':
      return keys.formatKey;
    case 'restated-format':
      return keys.restatedFormatKey(key.n);
    case 'log':
      return keys.logKey(key.log);
    case 'event':
      return keys.eventKey(key.eventId);
    case 'mark':
      return keys.markKey(key.log, key.partition);
    case 'dead':
      return keys.deadKey(key);
    case 'time':
      return keys.postingKey(keys.timeHead, key.span, key.timeUs, key.first);
    case 'corr':
    case 'type':
    case 'actor':
    case 'unknown':
      return null;
  }
};

/** Every key with what it must parse to. */
const anyKey: fc.Arbitrary<[string, LedgerKey]> = fc.oneof(
  fc.constant<[string, LedgerKey]>([keys.formatKey, { kind: 'format' }]),
  fc
    .integer({ min: 1, max: 9_999 })
    .map((n): [string, LedgerKey] => [keys.restatedFormatKey(n), { kind: 'restated-format', n }]),
  anyLog.map((log): [string, LedgerKey] => [keys.logKey(log), { kind: 'log', log }]),
  anyEventId.map((eventId): [string, LedgerKey] => [keys.eventKey(eventId), { kind: 'event', eventId }]),
  fc
    .tuple(anyLog, anyPartition)
    .map(([log, partition]): [string, LedgerKey] => [keys.markKey(log, partition), { kind: 'mark', log, partition }]),
  anyCoordinates.map((at): [string, LedgerKey] => [keys.deadKey(at), { kind: 'dead', ...at }]),
  anyPlace.map((place): [string, LedgerKey] => [
    keys.postingKey(keys.timeHead, place.span, place.timeUs, place.first),
    { kind: 'time', ...place },
  ]),
  fc
    .tuple(anyText, anyPlace)
    .map(([id, place]): [string, LedgerKey] => [
      keys.postingKey(keys.correlationHead(id), place.span, place.timeUs, place.first),
      { kind: 'corr', correlationId: segmentOf(id), ...place },
    ]),
  fc
    .tuple(anyText, anyPlace)
    .map(([type, place]): [string, LedgerKey] => [
      keys.postingKey(keys.typeHead(type), place.span, place.timeUs, place.first),
      { kind: 'type', eventType: segmentOf(type), ...place },
    ]),
  fc
    .tuple(anyText, anyText, anyPlace)
    .map(([type, id, place]): [string, LedgerKey] => [
      keys.postingKey(keys.actorHead(type, id), place.span, place.timeUs, place.first),
      { kind: 'actor', actorType: segmentOf(type), actorId: segmentOf(id), ...place },
    ]),
);

describe('keys', () => {
  test('every key parses to what it was made of, is ASCII and within immudb and its own limit', () => {
    fc.assert(
      fc.property(anyKey, ([key, meaning]) => {
        expect(parseKey(key)).toEqual(meaning);
        expect(key).toMatch(/^[!-~]+$/);
        expect(key.length).toBeLessThanOrEqual(keys.maxKeyBytes);
      }),
      { numRuns: 1_000 },
    );
    expect(keys.maxKeyBytes).toBeLessThanOrEqual(1_023);
  });

  test('the stated longest key exists', () => {
    const head = keys.actorHead('a'.repeat(256), 'b'.repeat(256));
    expect(keys.postingKey(head, 0, 0, { log: 0, partition: 0, offset: 0n })).toHaveLength(keys.maxKeyBytes);
  });

  test('any text parses, and what is not unknown is exactly what the encoder writes', () => {
    const pieces = fc.constantFrom(
      'meta',
      'format',
      'log',
      'event',
      'mark',
      'dead',
      'time',
      '0',
      '3',
      '0001',
      '00001',
      '0000',
      '0000000000000000001',
      '9999999999999999999',
      '1767000000000000',
      '0001.00001.0000000000000000001',
      '',
      'constructor',
      '\ud800',
      'corr',
      'actor',
      '__proto__',
    );
    const joined = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(fc.oneof(joined, fc.string({ unit: 'binary' })), (key) => {
        const again = written(parseKey(key));
        if (again !== null) expect(again).toBe(key);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    '',
    '/',
    'meta',
    'meta/',
    'meta/format/',
    'meta/format/0000',
    'meta/format/1',
    'meta/log/1',
    'meta/log/00001',
    'meta/log/0001/',
    'event/',
    'event/00000000-0000-0000-0000-000000000000',
    'event/ffffffff-ffff-ffff-ffff-ffffffffffff',
    'event/0196B1C5-0000-7000-8000-000000000001',
    'event/0196b1c5-0000-7000-8000-000000000001/',
    'mark/0001',
    'mark/0001/0001',
    'mark/0001/00001 ',
    'dead/0001/00001/1',
    'dead/0001/00001/9223372036854775808',
    'time/3/1767000000000000/0001.00001.0000000000000000001',
    'time/0/7258118400000000/0001.00001.0000000000000000001',
    'time/0/1767000000000000/0001.00001.0000000000000000001.',
    'corr/a~/0/1767000000000000/0001.00001.0000000000000000001',
    'corr/0/1767000000000000/0001.00001.0000000000000000001',
    'actor/a/0/1767000000000000/0001.00001.0000000000000000001',
    'EVENT/0196b1c5-0000-7000-8000-000000000001',
    'toString/1',
  ])('%j is unknown', (key) => {
    expect(parseKey(key)).toEqual({ kind: 'unknown' });
  });

  test('bytes of keys order as their numbers do', () => {
    const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const sign = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0);
    fc.assert(
      fc.property(anyCoordinates, anyCoordinates, anyTime, anyTime, anySpan, anyText, (a, b, s, t, span, id) => {
        const head = keys.correlationHead(id);
        const place = sign(a.log, b.log) || sign(a.partition, b.partition) || sign(a.offset, b.offset);
        expect(byBytes(keys.deadKey(a), keys.deadKey(b))).toBe(place);
        expect(byBytes(keys.postingKey(head, span, s, a), keys.postingKey(head, span, t, b))).toBe(sign(s, t) || place);
        expect(byBytes(keys.postingSeek(head, span, t), keys.postingKey(head, span, s, a))).toBe(s >= t ? -1 : 1);
        expect(keys.postingKey(head, span, s, a).startsWith(keys.postingPrefix(head, span))).toBe(true);
      }),
    );
  });

  test('a list is no prefix of another', () => {
    fc.assert(
      fc.property(anyText, anyText, anyPlace, (one, other, { span, timeUs, first }) => {
        fc.pre(one !== other);
        const key = keys.postingKey(keys.correlationHead(other), span, timeUs, first);
        expect(key.startsWith(keys.correlationHead(one))).toBe(false);
      }),
    );
  });

  test('prefixes hold their keys', () => {
    const at = { log: 7, partition: 3, offset: 12n };
    expect(keys.logKey(7).startsWith(keys.logPrefix)).toBe(true);
    expect(keys.markKey(7, 3).startsWith(keys.marksPrefix(7))).toBe(true);
    expect(keys.deadKey(at).startsWith(keys.deadPrefix(7))).toBe(true);
    expect(keys.deadKey(at).startsWith(keys.deadPartitionPrefix(7, 3))).toBe(true);
    expect(keys.eventKey('0196b1c5-0000-7000-8000-000000000001').startsWith(keys.eventPrefix)).toBe(true);
  });

  test.each<[string, () => unknown]>([
    ['log', () => digits.padLog(10_000)],
    ['log', () => digits.padLog(-1)],
    ['partition', () => digits.padPartition(100_000)],
    ['partition', () => digits.padPartition(0.5)],
    ['offset', () => digits.padOffset(-1n)],
    ['offset', () => digits.padOffset(2n ** 63n)],
    ['time', () => digits.padTime(-1)],
    ['time', () => digits.padTime(NaN)],
    ['time', () => digits.padTime(maxEventTimeUs + 1)],
    ['event_id', () => keys.eventKey('0196B1C5-0000-7000-8000-000000000001')],
    ['event_id', () => keys.eventKey('00000000-0000-0000-0000-000000000000')],
  ])('a %s that does not fit is refused', (what, work) => {
    expect(refusalOf(work)).toContain(what);
  });
});
