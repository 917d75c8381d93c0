import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, roundTrips, sameContent } from '../../../src/schemas/canonical.ts';
import { nested } from '../../fixtures/audit-event.ts';

const same = (a: string, b: string) => sameContent(Buffer.from(a), Buffer.from(b));

test('canonical form of the example in RFC 8785, 3.2.2', () => {
  const value: unknown =
    JSON.parse(String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
    "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`);
  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test('keys are sorted by their UTF-16 units (RFC 8785, 3.2.3)', () => {
  const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
  const form = canonicalJson(Object.fromEntries(keys.map((key) => [key, 0])));
  expect(form).toBe(
    `{${['\\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33'].map((key) => `"${key}":0`).join(',')}}`,
  );
});

describe('a number', () => {
  test.each([
    '0',
    '-0',
    '1',
    '1.0',
    '-1.50',
    '0.10',
    '1e2',
    '100E-2',
    '9007199254740992',
    '0e999',
    '1e21',
    '5e-324',
    '123456789012345680000',
  ])('keeps its value as a double: %s', (text) => {
    expect(roundTrips(text)).toBe(true);
  });
  test.each([
    '9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '0.1000000000000000055',
    '12345678901234567890',
    '1e99999999999999999999999',
  ])('does not: %s', (text) => {
    expect(roundTrips(text)).toBe(false);
  });
  test('as ECMAScript writes it always does', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => roundTrips(JSON.stringify(number))),
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat({ max: 20 }), (number, zeros) =>
        roundTrips(`${number}.${'0'.repeat(zeros + 1)}`),
      ),
    );
  });
});

describe('same content', () => {
  test.each([
    ['equal bytes that are no JSON', '\u0000x', '\u0000x'],
    ['equal bytes with a number that a double cannot hold', '{"a":9007199254740993}', '{"a":9007199254740993}'],
    ['another order of keys', '{"a":1,"b":{"c":2,"d":3}}', '{"b":{"d":3,"c":2},"a":1}'],
    ['other blanks', '{"a":[1,2]}', ' {\n"a" : [ 1 , 2 ] } '],
    ['other escapes', '{"a":"é/\\u0041"}', '{"\\u0061":"\\u00e9\\/A"}'],
    ['other spellings of a number', '{"a":100}', '{"a":1.0e2}'],
    ['own __proto__ fields', '{"__proto__":{"a":1}}', '{ "__proto__":{"a":1}}'],
  ])('yes: %s', (_what, a, b) => {
    expect(same(a, b)).toBe(true);
  });

  test.each([
    ['another value', '{"a":1}', '{"a":2}'],
    ['another type', '{"a":1}', '{"a":"1"}'],
    ['a key more', '{"a":1}', '{"a":1,"b":null}'],
    ['another order in an array', '[1,2]', '[2,1]'],
    ['another __proto__', '{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}'],
    ['an own __proto__ against none', '{"__proto__":null}', '{}'],
    ['numbers that are equal only as doubles', '{"a":9007199254740993}', '{"a":9007199254740992}'],
    ['the same inexact number with other blanks', '{"a":9007199254740993}', '{"a": 9007199254740993}'],
    ['a hidden repeated key', '{"a":1}', '{"a":2,"a":1}'],
    ['repeated keys on both sides', '{"a":1,"a":1}', '{"a":1, "a":1}'],
    ['no JSON', '{', '{ '],
    ['texts that are no Unicode', '"\\ud800"', ' "\\ud800"'],
    ['an abyss', nested(5_000), ` ${nested(5_000)}`],
  ])('no: %s', (_what, a, b) => {
    expect(same(a, b)).toBe(false);
    expect(same(b, a)).toBe(false);
  });

  test('no for bytes that are no UTF-8', () => {
    expect(sameContent(Buffer.from('"\xff"', 'latin1'), Buffer.from(' "\xff"', 'latin1'))).toBe(false);
  });

  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, child]) => [key, shuffled(child)]),
    );
  };

  test('does not depend on order of keys or blanks', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        // Object.fromEntries drops what -0 and __proto__ are in literals; JSON text is the common ground.
        const text = JSON.stringify(value);
        expect(same(text, JSON.stringify(shuffled(JSON.parse(text)), null, 1))).toBe(true);
      }),
    );
  });

  test('holds only for equal values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const [textA, textB] = [JSON.stringify(a), JSON.stringify(b)];
        expect(same(textA, textB)).toBe(canonicalJson(JSON.parse(textA)) === canonicalJson(JSON.parse(textB)));
      }),
    );
  });
});
