import { describe, expect, test } from '@jest/globals';
import { alh, type TxHeader } from '../../../src/proofs/header.ts';
import { sha256 } from '../../../src/sinks/immudb/sha256.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { referenceLedger } from '../../support/reference-ledger.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const entry = (text: string) => ({ key: Buffer.from(text), value: Buffer.from(text), metadata: null });
const ledger = referenceLedger([[entry('a')], [entry('b'), entry('c')], [entry('d')]]);

describe('accumulated hash', () => {
  test.each(ledger.txs)('of a header is the one that the reference makes', ({ header, alh: expected }) => {
    expect(hex(alh(header, sha256))).toBe(hex(expected));
  });

  test('changes with every bit of the header, or the header is refused', () => {
    const { header } = ledger.tx(2);
    const seen = new Set([hex(alh(header, sha256))]);
    let refused = 0;
    let tried = 0;
    for (const { changed } of bitFlips(header)) {
      tried++;
      try {
        seen.add(hex(alh(changed, sha256)));
      } catch {
        refused++;
      }
    }
    expect(seen.size + refused).toBe(tried + 1);
    expect(tried).toBeGreaterThan(900);
  });

  test('is the same for metadata that says nothing', () => {
    const header = { ...ledger.tx(1).header, metadata: { truncatedTxId: 0n, extra: new Uint8Array() } };
    expect(hex(alh(header, sha256))).toBe(hex(alh({ ...header, metadata: null }, sha256)));
  });

  const bad: [string, Partial<TxHeader>, string][] = [
    ['version 0', { version: 0 }, 'version 0'],
    ['version 2', { version: 2 }, 'version 2'],
    ['id 0', { id: 0n, blTxId: 0n }, 'id out of range'],
    ['an id of 65 bits', { id: 1n << 64n }, 'id out of range'],
    ['a linking tree beyond itself', { blTxId: 2n }, 'blTxId out of range'],
    ['no entries', { nentries: 0 }, 'nentries out of range'],
    ['half an entry', { nentries: 1.5 }, 'nentries out of range'],
    ['a time of 65 bits', { ts: 1n << 63n }, 'ts out of range'],
    ['a short prevAlh', { prevAlh: new Uint8Array(31) }, 'prevAlh'],
    ['a long eH', { eH: new Uint8Array(33) }, 'eH'],
    ['no blRoot', { blRoot: new Uint8Array() }, 'blRoot'],
    ['extra of 64 KiB', { metadata: { extra: new Uint8Array(65_536) } }, 'extra is too long'],
    ['negative truncation', { metadata: { truncatedTxId: -1n } }, 'truncatedTxId out of range'],
  ];
  test.each(bad)('%s is refused', (_, change, message) => {
    expect(() => alh({ ...ledger.tx(2).header, ...change }, sha256)).toThrow(message);
  });
});
