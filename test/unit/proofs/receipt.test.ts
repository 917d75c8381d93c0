import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { formatNoteKey, parseNoteKey } from '../../../src/proofs/note-key.ts';
import { formatReceipt, parseReceipt, verifyReceipt, type Receipt } from '../../../src/proofs/receipt.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { digest } from '../../support/checkpoints.ts';
import { nobleCrypto, nodeCrypto, testSeed, type NoteCrypto } from '../../support/note-crypto.ts';
import { checkpointOf, eventLedger, receiptByHand } from '../../support/receipts.ts';
import { referenceLedger as rebuilt } from '../../support/reference-ledger.ts';
import { acceptedOf, isRefused } from '../../support/refusals.ts';

const signer = nodeCrypto.signerOf(testSeed('audit.test'));
const ledger = eventLedger([1, 2, 5, 8, 1, 3, 1, 13, 2, 1]);
const last = ledger.txs.length;
const open = (text: string, { hash, verify }: NoteCrypto = nodeCrypto, keys = [signer.key]) =>
  verifyReceipt(parseReceipt(text, hash), { keys, hash, verify });
const some = receiptByHand(ledger, { tx: 4, leaf: 2, at: last }, signer);

describe.each([
  { crypto: nodeCrypto, stride: 1 },
  { crypto: nobleCrypto, stride: 13 },
])('with $crypto.name', ({ crypto, stride }) => {
  test('every event has a receipt under every later checkpoint', () => {
    let tried = 0;
    for (let at = 2; at <= last; at += 1) {
      for (let tx = 2; tx <= at; tx += 1) {
        for (const leaf of ledger.tx(tx).entries.keys()) {
          const receipt = receiptByHand(ledger, { tx, leaf, at }, signer);
          const finding = open(formatReceipt(receipt), crypto);
          expect(finding).toMatchObject({ tx: BigInt(tx), entry: { leaf }, signedBy: { trust: 'pinned' } });
          expect(`event/${finding.eventId}`).toBe(receipt.key);
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(100);
  });

  test.each([
    ['under a later checkpoint', some],
    ['under its own transaction', receiptByHand(ledger, { tx: 4, leaf: 2, at: 4 }, signer)],
  ])(
    'with any one bit changed is refused, or proves exactly the same: %s',
    (_, receipt) => {
      const text = formatReceipt(receipt);
      const said = JSON.stringify(open(text, crypto), bigints);
      const { tried, accepted } = acceptedOf(bitFlips(Buffer.from(text), stride), (changed) => {
        const finding = open(Buffer.from(changed).toString(), crypto);
        expect(JSON.stringify(finding, bigints)).toBe(said);
      });
      expect(tried).toBe(Math.ceil((Buffer.byteLength(text) * 8) / stride));
      // White space between members is the only place that says nothing.
      expect(accepted.length).toBeLessThan(60);
    },
    120_000,
  );
});

const bigints = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

test('reads what it writes', () => {
  for (const receipt of [some, receiptByHand(ledger, { tx: 3, leaf: 1, at: 3 }, signer)])
    expect(formatReceipt(parseReceipt(formatReceipt(receipt), nodeCrypto.hash))).toBe(formatReceipt(receipt));
});

describe('who signed', () => {
  const text = formatReceipt(some);
  test('is pinned only by keys that were given', () => {
    expect(open(text).signedBy).toEqual({ trust: 'pinned', keys: [signer.key] });
    expect(open(text, nodeCrypto, []).signedBy).toEqual({ trust: 'first use', keys: [signer.key] });
    const stranger = nodeCrypto.signerOf(testSeed('audit.test', 1)).key;
    expect(isRefused(() => open(text, nodeCrypto, [stranger]))).toBe(true);
  });

  test('is nobody when the receipt brings no key of its signatures', () => {
    const bare = formatReceipt({ ...some, keys: [] });
    expect(open(bare, nodeCrypto, []).signedBy).toEqual({ trust: 'absent', keys: [] });
    expect(open(bare).signedBy.trust).toBe('pinned');
  });
});

describe('refuses a receipt', () => {
  const other = eventLedger([1, 2, 5, 8, 1, 3, 1, 13, 2, 1, 1]);
  const at = (changes: Partial<Receipt>) => () => open(formatReceipt({ ...some, ...changes }));
  const signedAs = (changes: Parameters<typeof checkpointOf>[2]) => () => {
    const checkpoint = checkpointOf(ledger, last, changes);
    return open(formatReceipt(receiptByHand(ledger, { tx: 4, leaf: 2, at: last }, signer, checkpoint)));
  };
  const lying = eventLedger([1, 2, 5]);
  const entry = lying.tx(4).entries[0]!;

  test.each<[string, () => unknown]>([
    ['of another event', at({ key: some.key.replace('0198', '0199') })],
    ['with another value', at({ value: some.value.replace('"n":5', '"n":6') })],
    ['of another leaf', at({ leaf: 3 })],
    ['of a leaf beyond the entries', at({ leaf: 5 })],
    ['with a shorter path', at({ path: some.path.slice(1) })],
    ['with another header', at({ header: ledger.tx(5).header })],
    ['without the link', at({ link: null })],
    [
      'with the link of another transaction',
      at({ link: receiptByHand(ledger, { tx: 5, leaf: 0, at: last }, signer).link }),
    ],
    ['whose checkpoint is older than it', at({ link: { header: ledger.tx(3).header, path: [] } })],
    ['whose checkpoint has another hash', signedAs({ tx: { id: BigInt(last), alh: digest(3) } })],
    ['whose checkpoint is of another transaction', signedAs({ tx: { id: 5n, alh: ledger.tx(5).alh } })],
    ['whose checkpoint does not cover its offset', signedAs({ covers: [{ log: 1, partition: 0, next: 5n }] })],
    ['whose checkpoint does not cover its partition', signedAs({ covers: [{ log: 1, partition: 1, next: 99n }] })],
    [
      'whose checkpoint is of another ledger',
      at({ checkpoint: receiptByHand(other, { tx: 4, leaf: 2, at: 12 }, signer).checkpoint }),
    ],
    [
      'of an entry that is no event',
      () => {
        const format = receiptByHand(ledger, { tx: 1, leaf: 0, at: last }, signer);
        return open(formatReceipt(format));
      },
    ],
    [
      'of an event whose stated hash is not its own',
      () => {
        const value = Buffer.from(Buffer.from(entry.value).toString().replace('"n":3', '"n":4'));
        const forged = eventLedger([1, 2]);
        const txs = [...forged.txs.map(({ entries }) => entries), [{ ...entry, value }]];
        return open(formatReceipt(receiptByHand(rebuilt(txs), { tx: 4, leaf: 0, at: 4 }, signer)));
      },
    ],
  ])('%s', (_, verify) => {
    expect(isRefused(verify)).toBe(true);
  });

  test.each([
    ['is not JSON', (text: string) => text.slice(1)],
    ['is a list', () => '[]'],
    ['has a member more', (text: string) => text.replace('{', '{"more": 1,')],
    ['has a member twice', (text: string) => text.replace('{', '{"leaf": 2,')],
    ['has a member twice, written differently', (text: string) => text.replace('{', '{"le\\u0061f": 2,')],
    ['has a member less', (text: string) => text.replace(/"keys": \[[^\]]*\]/, '"more": []')],
    ['is of another version', (text: string) => text.replace('"v": 1', '"v": 2')],
    ['is of another kind', (text: string) => text.replace('immutrail-receipt', 'immutrail-export')],
    ['has a link that is not complete', (text: string) => text.replace(/"linking_path": \[[^\]]*\],/, '')],
    ['has a leaf that is no number', (text: string) => text.replace('"leaf": 2', '"leaf": "2"')],
    ['has a hash that is not base64', (text: string) => text.replace(/"eh": "./, '"eh": "*')],
    ['has metadata that says nothing', (text: string) => text.replace('"version": 1', '"version": 1, "extra": ""')],
  ])('that %s', (_, change) => {
    const text = formatReceipt(some);
    expect(change(text)).not.toBe(text);
    expect(isRefused(() => open(change(text)))).toBe(true);
  });
});

describe('the published vectors', () => {
  type Vector = { name: string; receipt: string; keys: string[]; valid: boolean; proves?: Record<string, unknown> };
  const file = new URL('../../fixtures/receipts/vectors.json', import.meta.url);
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

  for (const crypto of [nodeCrypto, nobleCrypto]) {
    test.each(vectors)(`$name, with ${crypto.name}`, ({ receipt, keys, valid, proves }) => {
      const verify = () =>
        open(
          receipt,
          crypto,
          keys.map((key) => parseNoteKey(key, crypto.hash)),
        );
      if (!valid) {
        expect(isRefused(verify)).toBe(true);
        return;
      }
      const { eventId, tx, entry, source, checkpoint, signedBy } = verify();
      expect({
        event_id: eventId,
        tx: tx.toString(),
        entry,
        source: { log: source.log, partition: source.partition, offset: source.offset.toString() },
        checkpoint_tx: checkpoint.tx.id.toString(),
        signer: { trust: signedBy.trust, keys: signedBy.keys.map(formatNoteKey) },
      }).toEqual(proves);
    });
  }
});
