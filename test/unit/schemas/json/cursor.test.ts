import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isAtEnd, newCursor, startAt, takeNumber, takeValue } from '../../../../src/schemas/json/cursor.ts';
import { keptText } from '../../../../src/schemas/json/kept-texts.ts';

const takes = (text: string): boolean => {
  const cursor = newCursor();
  startAt(cursor, Buffer.from(text));
  return takeValue(cursor) && isAtEnd(cursor);
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('the cursor', () => {
  test('takes what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 10, stringUnit: 'grapheme' }), fc.constantFrom(0, 2), (value, indent) =>
        takes(JSON.stringify(value, null, indent)),
      ),
    );
  });

  test('takes nothing that JSON.parse does not read', () => {
    const pieces = fc.constantFrom(
      ...'{}[]:,"\\-+.eE0123u/ \n\tabfnrt'.split(''),
      'true',
      'null',
      'false',
      '"a"',
      '\u0000',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        if (takes(text)) expect(isJson(text)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  test.each(['0', '-0', '10', '-1.5', '1e5', '1E+5', '2.5e-10', '1e400', '-9007199254740993'])(
    'takes the number %s',
    (text) => {
      const cursor = newCursor();
      startAt(cursor, Buffer.from(text));
      expect(takeNumber(cursor)).toBe(JSON.parse(text));
    },
  );

  test.each(['', '-', '01', '1.', '.5', '1e', '1e+', '+1', '0x1', 'NaN'])('takes no number from "%s"', (text) => {
    expect(takes(text)).toBe(false);
  });

  test('its stack does not grow with the value', () => {
    for (const text of ['[', '{"a":']) expect(takes(text.repeat(1_000_000))).toBe(false);
  });
});

describe('kept texts', () => {
  test('are the text of their bytes, however many there are', () => {
    const short = fc.string({ unit: 'grapheme-ascii', maxLength: 80 });
    fc.assert(
      fc.property(fc.array(short, { maxLength: 50 }), (texts) => {
        for (const text of [...texts, ...texts]) {
          const bytes = Buffer.from(`<${text}>`);
          expect(keptText(bytes, 1, bytes.length - 1)).toBe(text);
        }
      }),
    );
    for (let index = 0; index < 10_000; index++) {
      const bytes = Buffer.from(`text ${index}`);
      expect(keptText(bytes, 0, bytes.length)).toBe(`text ${index}`);
    }
  });
});
