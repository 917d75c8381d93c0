/** What the files of test/fixtures/format were made of. Add to it; what is there never changes. */
import type { EventFacts } from '../../../../../src/schemas/decoded.ts';
import type { DeadState } from '../../../../../src/sinks/immudb/format/dead-value.ts';
import type { EventSource } from '../../../../../src/sinks/immudb/format/event-source.ts';
import type { LedgerFormat } from '../../../../../src/sinks/immudb/format/format-value.ts';
import * as keys from '../../../../../src/sinks/immudb/format/keys.ts';
import type { LogEntry } from '../../../../../src/sinks/immudb/format/log-value.ts';
import type { Mark } from '../../../../../src/sinks/immudb/format/mark-value.ts';
import type { PostingRow } from '../../../../../src/sinks/immudb/format/posting-rows.ts';

const sha = (digit: string): string => digit.repeat(64);
const first = { log: 1, partition: 3, offset: 1_700_000_123n };
const largest = { log: 9_999, partition: 99_999, offset: 9_223_372_036_854_775_807n };
const eventId = '0196b1c5-7a3e-7c41-9d2b-5f0e6a7b8c9d';
const timeUs = 1_767_225_599_123_456;

export const goldenKeys: readonly string[] = [
  keys.formatKey,
  keys.restatedFormatKey(1),
  keys.logKey(1),
  keys.eventKey(eventId),
  keys.markKey(1, 3),
  keys.markKey(9_999, 99_999),
  keys.deadKey(first),
  keys.deadKey(largest),
  keys.postingKey(keys.timeHead, 0, timeUs, first),
  keys.postingKey(keys.timeHead, 2, 0, largest),
  keys.postingKey(keys.timeHead, 2, 7_258_118_399_999_999, largest),
  keys.postingKey(keys.correlationHead('rr-9c41e07b5d22-4be1a07f'), 1, timeUs, first),
  keys.postingKey(keys.correlationHead('KubePodCrash:shop~eu/a:Pod:zürich 😀'), 0, timeUs, first),
  keys.postingKey(keys.correlationHead('ü'.repeat(43)), 0, timeUs, first),
  keys.postingKey(keys.correlationHead('a'.repeat(256)), 0, timeUs, first),
  keys.postingKey(keys.correlationHead('a'.repeat(257)), 0, timeUs, first),
  keys.postingKey(keys.correlationHead(''), 0, timeUs, first),
  keys.postingKey(keys.typeHead('gateway.signal.received'), 0, timeUs, first),
  keys.postingKey(keys.actorHead('service', 'signalprocessing-controller'), 0, timeUs, first),
  keys.postingKey(keys.actorHead('user', 'a.b+c@example.test'), 0, timeUs, first),
  keys.postingPrefix(keys.typeHead('gateway.signal.received'), 2),
  keys.postingSeek(keys.timeHead, 1, timeUs),
];

export const goldenFormat: LedgerFormat = {
  ledgerId: '7f1d6c1e-3c1f-4f0a-9b7e-2d9a5c0e8b11',
  group: 'immutrail',
  created: '2026-01-01T00:00:00.000Z',
  settings: {
    maxTxEntries: 1_024,
    maxKeyLen: 1_024,
    maxValueLen: 33_554_432,
    embeddedValues: false,
    fileSize: 536_870_912,
    preallocFiles: false,
  },
};

export const goldenLog: LogEntry = {
  clusterId: 'MkU3OEVBNTcwNTJENDM2Qg',
  topic: 'audit.events',
  incarnation: 1,
  openedBy: 'init',
  why: 'first log of this topic',
};

export const goldenMark: Mark = {
  first: 1_700_000_123n,
  next: 1_700_000_133n,
  prev: { tx: 41n, next: 1_700_000_123n },
  last: { offset: 1_700_000_131n, timestamp: 1_767_225_599_124n, sha256: sha('a') },
  stored: 5,
  duplicates: [{ offset: 1_700_000_125n, eventId, sha256: sha('b') }],
  dead: [
    { offset: 1_700_000_126n, code: 'JSON_INVALID', dlq: { log: 2, partition: 1, offset: 17n }, sha256: sha('c') },
    { offset: 1_700_000_127n, code: 'EVENT_ID_CONFLICT', dlq: { log: 2, partition: 0, offset: 18n }, sha256: sha('d') },
  ],
  gaps: [
    { from: 1_700_000_129n, to: 1_700_000_130n, reason: 'control' },
    { from: 1_700_000_132n, to: 1_700_000_133n, reason: 'aborted' },
  ],
  writer: 'q5Zt0u2J1k8',
};

export const goldenFirstMark: Mark = {
  first: 0n,
  next: 0n,
  prev: null,
  last: null,
  stored: 0,
  duplicates: [],
  dead: [],
  gaps: [],
  writer: 'q5Zt0u2J1k8',
};

export const goldenAcceptedGap: Mark = {
  ...goldenFirstMark,
  first: 10n,
  next: 2_000n,
  prev: { tx: 9n, next: 10n },
  last: { offset: 9n, timestamp: -1n, sha256: sha('e') },
  gaps: [
    { from: 10n, to: 1_999n, reason: 'below_log_start' },
    { from: 1_999n, to: 2_000n, reason: 'absent' },
  ],
  unchecked: true,
  by: 'operator@example.test',
  why: 'retention ran out while immudb was down, see "incident 7"',
};

const letter = {
  code: 'EVENT_ID_CONFLICT',
  message: 'another event is stored under this event_id',
  sha256: sha('f'),
  dlq: { log: 2, partition: 0, offset: 18n },
  eventId,
  correlationId: 'rr-9c41e07b5d22-4be1a07f',
  eventType: 'gateway.signal.received',
} as const;
const redrive = {
  by: 'operator@example.test',
  why: 'producer mended',
  nonce: 'n-4d2c',
  expectedSha256: sha('0'),
} as const;

export const goldenDead: Readonly<Record<string, DeadState>> = {
  'dead-open': {
    code: 'JSON_INVALID',
    message: 'the value is not JSON (at character 3)',
    sha256: sha('c'),
    dlq: { log: 2, partition: 1, offset: 17n },
    attempt: 1,
    state: 'open',
  },
  'dead-open-again': { ...letter, attempt: 2, of: first, state: 'open', by: 'operator@example.test', why: 'not sent' },
  'dead-redriving': { ...letter, attempt: 1, state: 'redriving', ...redrive },
  'dead-redriven': {
    ...letter,
    attempt: 1,
    state: 'redriven',
    ...redrive,
    redriven: { as: 'stored', log: 1, partition: 3, offset: 1_700_000_200n },
  },
  'dead-discarded': { ...letter, attempt: 1, state: 'discarded', by: 'operator@example.test', why: 'a test event' },
};

export const goldenSource: EventSource = {
  ...first,
  timestamp: 1_767_225_599_124n,
  timestampType: 'create',
  key: Buffer.from('rr-9c41e07b5d22-4be1a07f'),
  headers: [
    ['content-type', Buffer.from('application/json')],
    ['empty', Buffer.alloc(0)],
    ['none', null],
    ['x', Buffer.from([0xff, 0x00])],
    ['x', Buffer.from('zürich "😀"\n')],
  ],
  headersOmitted: 0,
  principal: 'svc-gateway',
  sha256: sha('1'),
  recordSha256: sha('2'),
  encoding: 'json',
};

export const goldenBareSource: EventSource = {
  ...largest,
  timestamp: -1n,
  timestampType: 'append',
  key: null,
  headers: [],
  headersOmitted: 0,
  sha256: sha('3'),
  recordSha256: sha('4'),
  encoding: 'json',
};

export const goldenFramedSource: EventSource = {
  ...goldenBareSource,
  key: Buffer.from([0xc3, 0x28]),
  headersOmitted: 40,
  encoding: 'avro',
  schemaId: 7,
  original: Buffer.from([0, 0, 0, 0, 7, 0xfe]),
};

export const goldenJson = Buffer.from(
  '{ "event_id" : "0196B1C5-7A3E-7C41-9D2B-5F0E6A7B8C9D",\n"n":1.50e1,"t":"\\u00fc ü" } \n',
);

const facts: EventFacts = {
  eventId,
  eventType: 'gateway.signal.received',
  category: 'gateway',
  outcome: 'success',
  correlationId: 'rr-9c41e07b5d22-4be1a07f',
  timeUs,
  severity: 'high',
  actorType: 'external',
  actorId: 'alertmanager-eu1',
  resourceType: 'Signal',
  resourceId: '"zürich"\\😀',
  namespace: 'checkout',
};

/** Two of one second with equal time, one of another minute, one of another day without an actor. */
export const goldenRows: readonly PostingRow[] = [
  { ...first, facts },
  { ...first, offset: 1_700_000_124n, facts: { ...facts, eventId: '0196b1c5-7a3e-7c41-9d2b-000000000001' } },
  {
    log: 1,
    partition: 5,
    offset: 7n,
    facts: { ...facts, eventId: '0196b1c5-7a3e-7c41-9d2b-000000000002', timeUs: timeUs + 90_000_000, severity: null },
  },
  {
    log: 1,
    partition: 5,
    offset: 8n,
    facts: {
      ...facts,
      eventId: '0196b1c5-7a3e-7c41-9d2b-000000000003',
      timeUs: timeUs - 86_400_000_000,
      correlationId: 'other/one',
      actorId: null,
      resourceType: null,
      resourceId: null,
      namespace: null,
    },
  },
];
