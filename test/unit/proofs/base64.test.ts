import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { base64OfBytes, bytesOfBase64 } from '../../../src/proofs/base64.ts';
import { isRefused } from '../../support/refusals.ts';

test('is that of Node, both ways', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64');
      expect(base64OfBytes(bytes)).toBe(text);
      expect(Buffer.from(bytesOfBase64(text, 'it'))).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each(['A', 'AA', 'AA=', 'AB==', 'AAB=', 'AA==AA==', 'A===', '====', '=AAA', 'A-A_', 'AAAA\n', ' AAA', 'ÄAAA'])(
  'refuses %j, which is not the one form of any bytes',
  (text) => {
    expect(isRefused(() => bytesOfBase64(text, 'it'))).toBe(true);
  },
);
