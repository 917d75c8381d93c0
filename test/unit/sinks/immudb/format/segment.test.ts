import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeSegment, encodeSegment, maxSegmentBytes } from '../../../../../src/sinks/immudb/format/segment.ts';
import { anyText } from './arbitraries.ts';
import { refusalOf } from './refusal.ts';

const hashed = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

describe('segments', () => {
  test.each([
    ['rr-9c41e07b5d22-4be1a07f', 'rr-9c41e07b5d22-4be1a07f'],
    ['alert:ns:Pod/name', 'alert%3Ans%3APod%2Fname'],
    ['a~b', 'a%7Eb'],
    ["-_.!*'()", "-_.!*'()"],
    ['', ''],
    ['zürich 😀', 'z%C3%BCrich%20%F0%9F%98%80'],
  ])('%j is %s', (text, segment) => {
    expect(encodeSegment(text)).toBe(segment);
  });

  test('the length that counts is that of the encoded form', () => {
    expect(encodeSegment('a'.repeat(256))).toBe('a'.repeat(256));
    expect(encodeSegment('a'.repeat(257))).toBe(`~${hashed('a'.repeat(257))}`);
    expect(encodeSegment(`${'/'.repeat(85)}a`)).toHaveLength(256);
    expect(encodeSegment(`${'/'.repeat(85)}ab`)).toBe(`~${hashed(`${'/'.repeat(85)}ab`)}`);
    expect(encodeSegment('ü'.repeat(100))).toBe(`~${hashed('ü'.repeat(100))}`);
  });

  test('any text has a segment that is ASCII, without a slash, within the limit, and decodes to it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const segment = encodeSegment(text);
        expect(segment).toMatch(/^[!-.0-~]*$/);
        expect(segment.length).toBeLessThanOrEqual(maxSegmentBytes);
        expect(decodeSegment(segment)).toEqual(
          segment.startsWith('~') ? { kind: 'hashed', sha256: hashed(text) } : { kind: 'text', text },
        );
      }),
    );
  });

  test('text that is not well-formed is refused', () => {
    expect(refusalOf(() => encodeSegment('a\ud800'))).toContain('well-formed');
    expect(refusalOf(() => encodeSegment('\udc00'.repeat(300)))).toContain('well-formed');
  });

  test.each([
    '~',
    '~00',
    `~${'A'.repeat(64)}`,
    'a~',
    '%',
    '%zz',
    '%7e',
    '%41',
    '%ff',
    'a b',
    'ü',
    '\ud800',
    'a'.repeat(257),
  ])('%j was never written', (segment) => {
    expect(decodeSegment(segment)).toBeNull();
  });

  test('what decodes encodes to the same', () => {
    const pieces = fc.constantFrom('~', '%7E', '%7e', '%', 'a', '%C3', '%BC', '%2F', '0'.repeat(64), ' ', '\ud800');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((list) => list.join('')),
        ),
        (segment) => {
          const decoded = decodeSegment(segment);
          fc.pre(decoded !== null);
          expect(decoded.kind === 'text' ? encodeSegment(decoded.text) : `~${decoded.sha256}`).toBe(segment);
        },
      ),
    );
  });
});
