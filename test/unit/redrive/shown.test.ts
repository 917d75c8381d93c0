import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { maskedBytes, safeText, shownBytes } from '../../../src/redrive/shown.ts';

describe('safe text', () => {
  test.each([
    ['an escape sequence', '\u001b[2J', '\\u{1b}[2J'],
    ['a carriage return', 'a\rb', 'a\\u{d}b'],
    ['a tab', 'a\tb', 'a\\u{9}b'],
    ['a C1 control', '\u009b31m', '\\u{9b}31m'],
    ['a turned direction', 'a\u202eb', 'a\\u{202e}b'],
    ['an invisible space', 'a\u200bb', 'a\\u{200b}b'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['a tag character', 'a\u{e0041}b', 'a\\u{e0041}b'],
    ['half of a surrogate pair', 'a\ud83db', 'a\\u{d83d}b'],
    ['letters and pictures', 'añ漢🎉\n', 'añ漢🎉\n'],
  ])('%s', (_, text, shown) => {
    expect(safeText(text)).toBe(shown);
  });

  test('one line stays one line', () => {
    expect(safeText('a\nb', true)).toBe('a\\nb');
  });

  test('whatever the bytes are, nothing that steers a terminal comes out', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(shownBytes(bytes, 100)).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\p{Cs}/u);
      }),
    );
  });
});

test('bytes that are no UTF-8 show as what they are, the others as text', () => {
  expect(shownBytes(Buffer.concat([Buffer.from('ä{'), Buffer.of(0xff, 0xc3, 0x28), Buffer.from('}')]), 100)).toBe(
    'ä{\\xff\\xc3(}',
  );
  expect(shownBytes(Buffer.from('x'.repeat(10)), 4)).toBe('xxxx… (6 more bytes)');
});

test('a masked value has its shape and nothing that it says', () => {
  const value = Buffer.from(JSON.stringify({ name: 'secret', list: [1, { deep: 'hidden' }], flag: true, none: null }));
  const masked = maskedBytes(value);
  expect(JSON.parse(masked)).toEqual({
    name: '(text of 6)',
    list: ['(number)', { deep: '(text of 6)' }],
    flag: true,
    none: null,
  });
  expect(maskedBytes(Buffer.from('no json: secret'))).toBe('(15 bytes, not shown)');
});
