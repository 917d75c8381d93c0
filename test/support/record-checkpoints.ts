/** Writes test/fixtures/checkpoints/vectors.json: `node test/support/record-checkpoints.ts`. Signed with @noble. */
import { writeFileSync } from 'node:fs';
import { formatCheckpoint, type Checkpoint } from '../../src/proofs/checkpoint.ts';
import { formatNoteKey } from '../../src/proofs/note-key.ts';
import { signNote, type NoteSigner } from '../../src/proofs/note.ts';
import { someCheckpoint, successorOf } from './checkpoints.ts';
import { nobleCrypto, testSeed } from './note-crypto.ts';

const [old, next] = [
  nobleCrypto.signerOf(testSeed('vectors.immutrail/2026')),
  nobleCrypto.signerOf(testSeed('vectors.immutrail/2027', 32)),
];
const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

const statesOf = (checkpoint: Checkpoint, signedBy: readonly NoteSigner[]) => ({
  ledger_id: checkpoint.ledgerId,
  tx: checkpoint.tx.id.toString(),
  alh: hex(checkpoint.tx.alh),
  genesis: hex(checkpoint.genesis),
  sequence: checkpoint.sequence.toString(),
  epoch: checkpoint.epoch.toString(),
  previous: hex(checkpoint.previous),
  covers: checkpoint.covers.map(({ log, partition, next: offset }) => [log, partition, offset.toString()]),
  signed_by: signedBy.map(({ key }) => formatNoteKey(key)),
});

const [oldKey, nextKey] = [formatNoteKey(old.key), formatNoteKey(next.key)];
const first = signNote(formatCheckpoint(someCheckpoint), [old]);
const second = successorOf(someCheckpoint, {
  epoch: 2n,
  signedState: { database: 'immutrail', signature: Uint8Array.from({ length: 71 }, (_, i) => i) },
});
const both = signNote(formatCheckpoint(second), [old, next]);
const valid = (name: string, note: string, keys: readonly string[], states: unknown) => ({
  ...{ name, note, keys, valid: true, states },
});
const invalid = (name: string, note: string, keys = [oldKey]) => ({ name, note, keys, valid: false });

const vectors = [
  valid('the first checkpoint', first, [oldKey], statesOf(someCheckpoint, [old])),
  valid('signed with two keys, the old one accepted', both, [oldKey], statesOf(second, [old])),
  valid('signed with two keys, the new one accepted', both, [nextKey], statesOf(second, [next])),
  valid('signed with two keys, both accepted', both, [oldKey, nextKey], statesOf(second, [old, next])),
  invalid('a key that did not sign', first, [nextKey]),
  invalid('a transaction changed', first.replace('\n1234\n', '\n1235\n')),
  invalid('coverage changed', first.replace(' 5000\n', ' 5001\n')),
  invalid(
    'a signature changed',
    first.replace(/.(?==*\n$)/, (digit) => (digit === 'A' ? 'B' : 'A')),
  ),
  invalid('one good signature and one wrong one', both.replaceAll(' 2\n', ' 3\n'), [oldKey, nextKey]),
  invalid('a signed text that is no checkpoint', signNote('immutrail/nothing\n1\n', [old])),
  invalid('no signature', `${formatCheckpoint(someCheckpoint)}\n`),
];
const file = new URL('../fixtures/checkpoints/vectors.json', import.meta.url);
writeFileSync(file, `${JSON.stringify({ v: 1, vectors }, null, 2)}\n`);
