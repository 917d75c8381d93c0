import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { gapReasons } from '../../../../../src/sinks/immudb/format/mark-rows.ts';
import { decodeMark, encodeMark, type Mark } from '../../../../../src/sinks/immudb/format/mark-value.ts';
import { anyCoordinates, anyEventId, anySha256, anyText } from './arbitraries.ts';
import { refusalOf } from './refusal.ts';

/** What became of consecutive offsets: runs of stored records, duplicates, dead letters and gaps. */
const anyPiece = fc.oneof(
  fc.record({ kind: fc.constant('stored' as const), count: fc.integer({ min: 1, max: 500 }) }),
  fc.record({ kind: fc.constant('duplicate' as const), eventId: anyEventId, sha256: anySha256 }),
  fc.record({
    kind: fc.constant('dead' as const),
    code: fc.constant('JSON_INVALID'),
    dlq: anyCoordinates,
    sha256: anySha256,
  }),
  fc.record({
    kind: fc.constant('gap' as const),
    reason: fc.constantFrom(...gapReasons),
    width: fc.bigInt({ min: 1n, max: 2n ** 40n }),
  }),
);

type Piece = typeof anyPiece extends fc.Arbitrary<infer T> ? T : never;

const layOut = (first: bigint, pieces: readonly Piece[]) => {
  const mark = {
    first,
    next: first,
    stored: 0,
    duplicates: [] as object[],
    dead: [] as object[],
    gaps: [] as object[],
  };
  for (const piece of pieces) {
    const offset = mark.next;
    if (piece.kind === 'stored') mark.stored += piece.count;
    if (piece.kind === 'duplicate') mark.duplicates.push({ offset, eventId: piece.eventId, sha256: piece.sha256 });
    if (piece.kind === 'dead') mark.dead.push({ offset, code: piece.code, dlq: piece.dlq, sha256: piece.sha256 });
    const width = piece.kind === 'gap' ? piece.width : piece.kind === 'stored' ? BigInt(piece.count) : 1n;
    if (piece.kind === 'gap') mark.gaps.push({ from: offset, to: offset + width, reason: piece.reason });
    mark.next += width;
  }
  return mark as unknown as Mark;
};

const anyMark = fc
  .record({
    first: fc.bigInt({ min: 0n, max: 2n ** 60n }),
    pieces: fc.array(anyPiece, { maxLength: 30 }),
    prev: fc.option(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), { nil: null }),
    last: fc.option(fc.record({ timestamp: fc.bigInt({ min: -1n, max: 2n ** 62n }), sha256: anySha256 }), {
      nil: null,
    }),
    writer: anyText,
    extra: fc.oneof(
      fc.constant({}),
      fc.constant({ unchecked: true as const }),
      fc.record({ by: anyText, why: anyText }),
    ),
  })
  .map(({ first, pieces, prev, last, writer, extra }): Mark => {
    const laid = layOut(first, pieces);
    const known = last !== null && laid.next > 0n ? { offset: laid.next - 1n, ...last } : null;
    return { ...laid, prev: prev === null ? null : { tx: prev, next: first }, last: known, writer, ...extra };
  });

const mark: Mark = {
  first: 10n,
  next: 20n,
  prev: { tx: 7n, next: 10n },
  last: { offset: 19n, timestamp: 1_767_000_000_000n, sha256: 'c'.repeat(64) },
  stored: 5,
  duplicates: [11n, 13n].map((offset) => ({
    offset,
    eventId: '0196b1c5-0000-7000-8000-000000000001',
    sha256: 'a'.repeat(64),
  })),
  dead: [{ offset: 12n, code: 'JSON_INVALID', dlq: { log: 2, partition: 1, offset: 3n }, sha256: 'b'.repeat(64) }],
  gaps: [{ from: 14n, to: 16n, reason: 'control' }],
  writer: 'w',
};

describe('a mark', () => {
  test('decodes to what was encoded', () => {
    fc.assert(fc.property(anyMark, (one) => expect(decodeMark('k', encodeMark(one))).toEqual(one)));
  });

  test('holds a thousand duplicates', () => {
    const duplicates = Array.from({ length: 1_000 }, (_, at) => ({ ...mark.duplicates[0]!, offset: 10n + BigInt(at) }));
    const full = { ...mark, next: 1_010n, stored: 0, duplicates, dead: [], gaps: [] };
    expect(decodeMark('k', encodeMark(full))).toEqual(full);
  });

  test('may cover nothing', () => {
    const empty = {
      ...mark,
      first: 20n,
      prev: { tx: 8n, next: 20n },
      stored: 0,
      duplicates: [],
      dead: [],
      gaps: [],
      next: 20n,
    };
    expect(decodeMark('k', encodeMark(empty))).toEqual(empty);
  });

  test.each<[string, Partial<Mark>]>([
    ['next is below first', { first: 21n, prev: null }],
    ['the mark before', { prev: { tx: 7n, next: 9n } }],
    ['last is not below next', { last: { ...mark.last!, offset: 20n } }],
    ['add up', { stored: 4 }],
    ['add up', { gaps: [] }],
    ['stored', { stored: -1 }],
    ['by and why', { by: 'somebody' }],
    ['duplicates are not in order', { duplicates: mark.duplicates.toReversed() }],
    ['listed twice', { dead: [{ ...mark.dead[0]!, offset: 11n }] }],
    ['listed twice', { dead: [{ ...mark.dead[0]!, offset: 15n }] }],
    ['outside', { dead: [{ ...mark.dead[0]!, offset: 20n }] }],
    ['outside', { dead: [{ ...mark.dead[0]!, offset: 9n }] }],
    ['listed twice', { gaps: [{ from: 14n, to: 14n, reason: 'absent' }] }],
    ['gaps has a row', { gaps: [{ from: 14n, to: 16n, reason: 'lost' as 'absent' }] }],
    ['dead has a row', { dead: [{ ...mark.dead[0]!, code: 'json invalid' }] }],
    ['duplicates has a row', { duplicates: [{ ...mark.duplicates[0]!, eventId: 'x' }] }],
    ['prev.tx', { prev: { tx: 0n, next: 10n } }],
  ])('that is not true is neither written nor read: %s', (reason, change) => {
    expect(refusalOf(() => encodeMark({ ...mark, ...change }))).toContain(reason);
  });

  test('handed over to another ledger stops a program that does not know of it', () => {
    const text = encodeMark(mark).toString().replace(/}$/, ',"handover":{}}');
    expect(refusalOf(() => decodeMark('mark/0001/00001', Buffer.from(text)))).toContain('handover is reserved');
  });

  test.each([
    ['"first":"10"', '"first":10'],
    ['"first":"10"', '"first":"010"'],
    ['"stored":5', '"stored":"5"'],
    ['"writer":"w"', '"writer":"w","unchecked":false'],
    ['["14","16","control"]', '["14","16","control",1]'],
    ['["14","16","control"]', '{"0":"14"}'],
  ])('with %s as %s is refused', (from, to) => {
    const text = encodeMark(mark).toString();
    expect(text).toContain(from);
    expect(refusalOf(() => decodeMark('mark/0001/00001', Buffer.from(text.replace(from, to))))).toContain(
      'mark/0001/00001',
    );
  });
});
