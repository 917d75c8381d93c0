import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type DeadState,
  decodeDead,
  encodeDead,
  maxDeadText,
  redrivenAs,
} from '../../../../../src/sinks/immudb/format/dead-value.ts';
import { decodeFormat, encodeFormat, type LedgerFormat } from '../../../../../src/sinks/immudb/format/format-value.ts';
import { decodeLog, encodeLog } from '../../../../../src/sinks/immudb/format/log-value.ts';
import { anyCoordinates, anySha256, anyText } from './arbitraries.ts';
import { refusalOf } from './refusal.ts';

const anyCount = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });

const anyFormat: fc.Arbitrary<LedgerFormat> = fc
  .record({
    ledgerId: anyText,
    group: anyText,
    created: fc
      .date({ min: new Date(0), max: new Date('2199-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    further: fc.dictionary(fc.stringMatching(/^[a-z][A-Za-z0-9.]{0,20}$/), fc.oneof(anyCount, fc.boolean()), {
      noNullPrototype: true,
    }),
    settings: fc.record({
      maxTxEntries: anyCount,
      maxKeyLen: anyCount,
      maxValueLen: anyCount,
      embeddedValues: fc.boolean(),
    }),
  })
  .map(({ further, settings, ...rest }) => ({ ...rest, settings: { ...further, ...settings } }));

const act = { by: anyText, why: anyText };
const redrive = { ...act, nonce: anyText, expectedSha256: anySha256 };
const anyState = fc.oneof(
  fc.record({ state: fc.constant('open' as const) }),
  fc.record({ state: fc.constant('open' as const), ...act }),
  fc.record({ state: fc.constant('redriving' as const), ...redrive }),
  fc.record({
    state: fc.constant('redriven' as const),
    ...redrive,
    redriven: fc.tuple(fc.constantFrom(...redrivenAs), anyCoordinates).map(([as, at]) => ({ as, ...at })),
  }),
  fc.record({ state: fc.constant('discarded' as const), ...act }),
);
const letter = {
  code: fc.constantFrom('JSON_INVALID', 'EVENT_ID_CONFLICT'),
  message: anyText,
  sha256: anySha256,
  dlq: anyCoordinates,
};
const read = fc.record({ eventId: anyText, correlationId: anyText, eventType: anyText }, { requiredKeys: [] });
const anyAttempt = fc.oneof(
  fc.constant({ attempt: 1 }),
  fc.record({ attempt: fc.integer({ min: 2, max: 100 }), of: anyCoordinates }),
);
const anyDead: fc.Arbitrary<DeadState> = fc
  .tuple(fc.record(letter), read, anyAttempt, anyState)
  .map(([always, known, attempt, state]) => ({ ...always, ...known, ...attempt, ...state }));

describe('values that hold', () => {
  test('format', () => {
    fc.assert(fc.property(anyFormat, (format) => expect(decodeFormat('k', encodeFormat(format))).toEqual(format)));
  });

  test('log', () => {
    const anyLogEntry = fc.record({
      clusterId: anyText,
      topic: anyText,
      incarnation: anyCount,
      openedBy: anyText,
      why: anyText,
    });
    fc.assert(fc.property(anyLogEntry, (log) => expect(decodeLog('k', encodeLog(log))).toEqual(log)));
  });

  test('dead letter', () => {
    fc.assert(fc.property(anyDead, (dead) => expect(decodeDead('k', encodeDead(dead))).toEqual(dead)));
  });
});

const dead: DeadState = {
  code: 'UNICODE_INVALID',
  message: 'm',
  sha256: 'a'.repeat(64),
  dlq: { log: 2, partition: 0, offset: 5n },
  attempt: 1,
  state: 'open',
};

describe('a dead letter', () => {
  test('is written whatever the record said of itself', () => {
    const long = {
      ...dead,
      message: 'x'.repeat(5_000),
      correlationId: `${'y'.repeat(maxDeadText - 1)}😀`,
      eventId: 'a\ud800b',
    };
    const back = decodeDead('k', encodeDead(long));
    expect(back.message).toHaveLength(maxDeadText);
    expect(back.correlationId).toBe(`${'y'.repeat(maxDeadText - 1)}\ufffd`);
    expect(back.eventId).toBe('a\ufffdb');
  });

  test.each<[string, object]>([
    ['attempt', { attempt: 2 }],
    ['attempt', { of: { log: 1, partition: 0, offset: 1n } }],
    ['attempt', { attempt: 0 }],
    ['code', { code: 'no code' }],
    ['why', { by: 'somebody' }],
    ['by', { state: 'discarded' }],
    ['nonce', { state: 'redriving', by: 'b', why: 'w' }],
    ['redriven', { state: 'redriven', by: 'b', why: 'w', nonce: 'n', expectedSha256: 'b'.repeat(64) }],
    ['exact form', { nonce: 'n' }],
    ['exact form', { why: 'w' }],
    ['sha256', { sha256: 'A'.repeat(64) }],
    ['state', { state: 'lost' }],
    ['dlq.log', { dlq: { log: 10_000, partition: 0, offset: 1n } }],
  ])('with a wrong %s is not written: %j', (what, change) => {
    expect(refusalOf(() => encodeDead({ ...dead, ...change }))).toContain(what);
  });
});

const formatText = encodeFormat({
  ledgerId: 'l',
  group: 'g',
  created: '2026-01-31T12:00:00.000Z',
  settings: { maxTxEntries: 1024, maxKeyLen: 1024, maxValueLen: 33_554_432, embeddedValues: false },
}).toString();

describe('a value is refused', () => {
  test.each<[string, string, string]>([
    ['no JSON', formatText.slice(1), 'not JSON'],
    ['a list', `[${formatText}]`, 'not an object'],
    ['null', 'null', 'not an object'],
    ['version 2', formatText.replace('"v":1', '"v":2'), 'v is not 1'],
    ['no version', formatText.replace('"v":1,', ''), 'v is not'],
    ['format 2', formatText.replace('"format":1', '"format":2'), 'format is not 1'],
    ['other segments', formatText.replace('"plain"', '"hashed"'), 'segments'],
    ['white space', formatText.replace(',', ', '), 'exact form'],
    ['an unknown member', formatText.replace('}}', '},"x":1}'), 'exact form'],
    ['a repeated member', formatText.replace('"group":"g"', '"group":"f","group":"g"'), 'exact form'],
    ['an escape without need', formatText.replace('"g"', '"\\u0067"'), 'exact form'],
    ['an integer in another form', formatText.replace('1024', '1.024e3'), 'exact form'],
    ['a lone surrogate', formatText.replace('"g"', '"\\ud800"'), 'group'],
    ['a wrong type', formatText.replace('"g"', '7'), 'group'],
    ['a member inherited only', formatText.replace('"group":"g",', ''), 'group'],
    ['a date that is none', formatText.replace('01-31', '02-31'), 'created'],
    ['settings without one', formatText.replace('"maxKeyLen":1024,', ''), 'settings.maxKeyLen'],
    ['a setting of another kind', formatText.replace('"maxKeyLen":1024', '"maxKeyLen":"1024"'), 'settings.maxKeyLen'],
  ])('%s', (_, text, reason) => {
    const message = refusalOf(() => decodeFormat('meta/format', Buffer.from(text)));
    expect(message).toContain('meta/format');
    expect(message).toContain(reason);
  });

  test('ill-formed UTF-8', () => {
    const bytes = Buffer.from(formatText);
    bytes[bytes.indexOf('"g"') + 1] = 0xff;
    expect(refusalOf(() => decodeFormat('meta/format', bytes))).toContain('exact form');
  });

  test('its message quotes no control characters of a key', () => {
    expect(refusalOf(() => decodeFormat('a\u001b[31m\n', Buffer.from('null')))).toContain('a?[31m?');
  });
});
