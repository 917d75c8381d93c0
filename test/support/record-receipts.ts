/** Writes test/fixtures/receipts/vectors.json: `node test/support/record-receipts.ts`. Signed with @noble. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { formatNoteKey } from '../../src/proofs/note-key.ts';
import { formatReceipt, type Receipt } from '../../src/proofs/receipt.ts';
import { nobleCrypto, testSeed } from './note-crypto.ts';
import { checkpointOf, eventLedger, receiptByHand } from './receipts.ts';

const signer = nobleCrypto.signerOf(testSeed('vectors.immutrail/2026'));
const key = formatNoteKey(signer.key);
const other = formatNoteKey(nobleCrypto.signerOf(testSeed('vectors.immutrail/2027', 32)).key);
const ledger = eventLedger([1, 2, 5, 8, 1]);

const receiptAt = (tx: number, leaf: number, at: number) => receiptByHand(ledger, { tx, leaf, at }, signer);
const provesOf = (receipt: Receipt, at: number, trust: string) => ({
  event_id: receipt.key.slice('event/'.length),
  tx: receipt.header.id.toString(),
  entry: { leaf: receipt.leaf, of: receipt.header.nentries },
  source: { log: 1, partition: 0, offset: (JSON.parse(receipt.value) as Value).source.offset },
  checkpoint_tx: String(at),
  signer: { trust, keys: trust === 'absent' ? [] : [key] },
});
type Value = { readonly source: { readonly offset: string } };

const valid = (name: string, at: number, receipt: Receipt, trust = 'pinned') => ({
  name,
  receipt: formatReceipt(receipt),
  keys: trust === 'pinned' ? [key] : [],
  valid: true,
  proves: provesOf(receipt, at, trust),
});
const invalid = (name: string, receipt: string, keys = [key]) => ({ name, receipt, keys, valid: false });

const linked = receiptAt(4, 2, 6);
const text = formatReceipt(linked);
const uncovered = checkpointOf(ledger, 6, { covers: [{ log: 1, partition: 0, next: 3n }] });
const vectors = [
  valid('an event some transactions before the checkpoint', 6, linked),
  valid('an event in the transaction just before it', 6, receiptAt(5, 7, 6)),
  valid('an event in the transaction of the checkpoint', 5, receiptAt(5, 0, 5)),
  valid('a transaction of one entry', 6, receiptAt(2, 0, 6)),
  valid('no key given', 6, linked, 'first use'),
  valid('no key given and none in the receipt', 6, { ...linked, keys: [] }, 'absent'),
  invalid('another key than the one that signed', text, [other]),
  invalid('the event changed', text.replace('\\"n\\":5', '\\"n\\":6')),
  invalid('another leaf', text.replace('"leaf": 2', '"leaf": 3')),
  invalid('the time of the transaction changed', text.replace(/"ts": "(\d+)\d"/, '"ts": "$10"')),
  invalid('the path cut', formatReceipt({ ...linked, path: linked.path.slice(0, -1) })),
  invalid('the link left out', formatReceipt({ ...linked, link: null })),
  invalid(
    'the checkpoint of another transaction',
    formatReceipt({ ...linked, checkpoint: receiptAt(5, 0, 5).checkpoint }),
  ),
  invalid(
    'an offset that the checkpoint does not cover',
    formatReceipt(receiptByHand(ledger, { tx: 4, leaf: 2, at: 6 }, signer, uncovered)),
  ),
  invalid('a member twice', text.replace('{', '{"leaf": 2,')),
];
mkdirSync(new URL('../fixtures/receipts/', import.meta.url), { recursive: true });
const file = new URL('../fixtures/receipts/vectors.json', import.meta.url);
writeFileSync(file, `${JSON.stringify({ v: 1, vectors }, null, 2)}\n`);
