import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { padTime, putTime } from '../../../../../src/sinks/immudb/format/digits.ts';
import * as pens from '../../../../../src/sinks/immudb/format/pen.ts';
import { anyBytes, anyText, anyTime } from './arbitraries.ts';
import { refusalOf } from './refusal.ts';

/** Lone surrogates too. */
const anyUnits = fc.oneof(
  anyText,
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 }).map((units) => String.fromCharCode(...units)),
);

/** With a pen that has to grow, behind what was written before. */
const written = (put: (pen: pens.Pen) => void): string => {
  const pen = pens.newPen(2);
  pens.putAscii(pen, '<');
  put(pen);
  pens.putAscii(pen, '>');
  const text = pen.bytes.toString('utf8', 0, pen.at);
  expect(text.startsWith('<') && text.endsWith('>')).toBe(true);
  return text.slice(1, -1);
};

describe('a pen writes', () => {
  test('any text as JSON.stringify does', () => {
    fc.assert(fc.property(anyUnits, (text) => written((pen) => pens.putText(pen, text)) === JSON.stringify(text)));
  });

  test('each single character as JSON.stringify does', () => {
    for (let code = 0; code <= 0xffff; code++) {
      const text = String.fromCharCode(code);
      if (written((pen) => pens.putText(pen, text)) !== JSON.stringify(text)) throw new Error(`character ${code}`);
    }
  });

  test('bytes of UTF-8 as the JSON of their text, and nothing of others', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const put = (pen: pens.Pen) => expect(pens.putUtf8(pen, Buffer.from(text))).toBe(true);
        expect(written(put)).toBe(JSON.stringify(text));
      }),
    );
    expect(written((pen) => expect(pens.putUtf8(pen, Buffer.from([0x61, 0xff, 0x61]))).toBe(false))).toBe('');
    expect(written((pen) => expect(pens.putUtf8(pen, Buffer.from('eda080', 'hex'))).toBe(false))).toBe('');
  });

  test('integers as String does', () => {
    const anyInteger = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n }),
      fc.maxSafeInteger(),
      fc.constantFrom(0, 9, 10, 99_999_999, 100_000_000, Number.MAX_SAFE_INTEGER, 2n ** 53n - 1n, 2n ** 53n + 1n, -1n),
    );
    fc.assert(fc.property(anyInteger, (value) => written((pen) => pens.putInteger(pen, value)) === String(value)));
  });

  test('times as they are padded', () => {
    fc.assert(fc.property(anyTime, (timeUs) => written((pen) => putTime(pen, timeUs)) === padTime(timeUs)));
    expect(refusalOf(() => putTime(pens.newPen(16), 0.5))).toContain('time');
    expect(refusalOf(() => putTime(pens.newPen(16), -1))).toContain('time');
  });

  test('bytes, and the same once more', () => {
    fc.assert(
      fc.property(anyBytes, anyBytes, (before, bytes) => {
        const pen = pens.newPen(0);
        pens.putBytes(pen, before);
        pens.putBytes(pen, bytes);
        pens.putAgain(pen, before.length, pen.at);
        expect(pen.bytes.subarray(0, pen.at).equals(Buffer.concat([before, bytes, bytes]))).toBe(true);
      }),
    );
  });

  test('text of any length', () => {
    const giant = 'x'.repeat(100_000);
    for (const text of ['', 'a', giant, 'b']) expect(pens.textOf(pens.putAscii, text)).toBe(text);
  });
});
