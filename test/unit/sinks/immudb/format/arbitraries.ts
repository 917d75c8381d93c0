import fc from 'fast-check';
import type { EventFacts } from '../../../../../src/schemas/decoded.ts';
import { maxEventTimeUs } from '../../../../../src/schemas/event-time.ts';
import { maxInt64 } from '../../../../../src/sinks/immudb/format/digits.ts';
import type { Coordinates } from '../../../../../src/sinks/immudb/format/keys.ts';
import type { PostingRow } from '../../../../../src/sinks/immudb/format/posting-rows.ts';

/** Well-formed Unicode of any plane, short and long. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 600 }),
  fc.string({ unit: 'binary', minLength: 40, maxLength: 400 }),
  fc.constantFrom('', '~', '%7E', '/', '.', '..', '"', '\\', ',"event":', '\u0000', '\ud83d\ude00', '__proto__'),
);

export const anyEventId = fc.oneof(fc.uuid(), fc.uuid({ version: 7 }));
export const anySha256 = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
export const anyLog = fc.integer({ min: 0, max: 9_999 });
export const anyPartition = fc.integer({ min: 0, max: 99_999 });
const anyOffset = fc.oneof(fc.bigInt({ min: 0n, max: maxInt64 }), fc.bigInt({ min: 0n, max: 1_000n }));
export const anyTime = fc.integer({ min: 0, max: maxEventTimeUs });
export const anyBytes = fc
  .oneof(
    fc.uint8Array({ maxLength: 60 }),
    anyText.map((text) => new TextEncoder().encode(text)),
  )
  .map((bytes) => Buffer.from(bytes));

export const anyCoordinates: fc.Arbitrary<Coordinates> = fc.record({
  log: anyLog,
  partition: anyPartition,
  offset: anyOffset,
});

/** Few ids and clusters of times, so that lists have several rows and windows have neighbours just in and just out. */
const base = 1_767_000_000_000_000;
const clusteredTime = fc.oneof(
  fc.integer({ min: base, max: base + 3_000_000 }),
  fc.integer({ min: base, max: base + 300_000_000 }),
  fc.integer({ min: base, max: base + 20_000_000_000 }),
  fc.constantFrom(
    ...[0, 999_999, 1_000_000, 59_999_999, 60_000_000, 3_599_999_999, 3_600_000_000].map((us) => base + us),
  ),
);

const name = (prefix: string, max: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map((number) => `${prefix}${number}`);

const anyName = (prefix: string, max: number): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: name(prefix, max) }, { weight: 1, arbitrary: anyText });

const nullable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

const anyFacts: fc.Arbitrary<EventFacts> = fc.record({
  eventId: anyEventId,
  eventType: name('type.', 4),
  category: anyName('category', 2),
  outcome: fc.constantFrom('success', 'failure', 'pending'),
  correlationId: anyName('rr-', 6),
  timeUs: fc.oneof({ weight: 5, arbitrary: clusteredTime }, { weight: 1, arbitrary: anyTime }),
  severity: nullable(anyName('severity', 1)),
  actorType: nullable(anyName('kind', 1)),
  actorId: nullable(anyName('actor', 3)),
  resourceType: nullable(anyName('resource', 1)),
  resourceId: nullable(anyText),
  namespace: nullable(anyName('ns', 2)),
});

/** One transaction's events: ids differ, and so do places. */
export const anyRows = (maxLength: number): fc.Arbitrary<PostingRow[]> =>
  fc
    .uniqueArray(anyFacts, { maxLength, selector: ({ eventId }) => eventId, size: 'max' })
    .map((events) => events.map((facts, at) => ({ facts, log: 1, partition: at % 3, offset: BigInt(at) })));
