import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatCheckpoint,
  openCheckpoint,
  parseCheckpoint,
  requireSuccessor,
  type Checkpoint,
} from '../../../src/proofs/checkpoint.ts';
import { formatNoteKey, parseNoteKey } from '../../../src/proofs/note-key.ts';
import { signNote } from '../../../src/proofs/note.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { checkpoints, digest, someCheckpoint, successorOf } from '../../support/checkpoints.ts';
import { nobleCrypto, nodeCrypto, testSeed } from '../../support/note-crypto.ts';
import { acceptedOf, isRefused } from '../../support/refusals.ts';

test('reads what it writes', () => {
  fc.assert(
    fc.property(checkpoints, (checkpoint) => {
      expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    }),
  );
});

test('a text with any one bit changed is refused, or states something else', () => {
  const signed = { database: 'immutrail', signature: Uint8Array.from({ length: 70 }, (_, i) => i) };
  const text = formatCheckpoint(successorOf(someCheckpoint, { signedState: signed }));
  const stated = new Set([text]);
  let read = 0;
  for (const { changed, at } of bitFlips(Buffer.from(text))) {
    let other: Checkpoint;
    try {
      other = parseCheckpoint(new TextDecoder().decode(changed));
    } catch {
      continue;
    }
    read += 1;
    const again = formatCheckpoint(other);
    expect([at, stated.has(again)]).toEqual([at, false]);
    stated.add(again);
  }
  expect(read).toBeGreaterThan(200);
});

describe.each([nodeCrypto, nobleCrypto])('with $name', ({ signerOf, verify }) => {
  test('a signed checkpoint with any one bit changed is refused', () => {
    const signer = signerOf(testSeed('immutrail.test'));
    const note = signNote(formatCheckpoint(someCheckpoint), [signer]);
    expect(openCheckpoint(note, [signer.key], verify).checkpoint).toEqual(someCheckpoint);
    const { tried, accepted } = acceptedOf(bitFlips(Buffer.from(note)), (changed) =>
      openCheckpoint(changed, [signer.key], verify),
    );
    expect(accepted).toEqual([]);
    expect(tried).toBeGreaterThan(3000);
  });
});

test('a signed text that is no checkpoint is refused', () => {
  const signer = nodeCrypto.signerOf(testSeed('immutrail.test'));
  expect(isRefused(() => openCheckpoint(signNote('hello\n', [signer]), [signer.key], nodeCrypto.verify))).toBe(true);
});

test.each<[string, Partial<Checkpoint>]>([
  ['a transaction 0', { tx: { id: 0n, alh: digest(1) } }],
  ['a first transaction that is not the genesis', { tx: { id: 1n, alh: digest(2) } }],
  ['a short hash', { genesis: new Uint8Array(31) }],
  ['a link in the first one', { previous: digest(3) }],
  ['no link in a later one', { sequence: 2n }],
  ['a number beyond 64 bits', { epoch: 1n << 64n }],
  ['a time without its zone', { time: '2026-01-31T12:00:00.000' }],
  ['a day that is none', { time: '2026-13-41T12:00:00.000Z' }],
  ['a name in capital letters', { ledgerId: someCheckpoint.ledgerId.toUpperCase() }],
  ['a database with a space', { signedState: { database: 'a b', signature: digest(1) } }],
  ['a partition twice', { covers: [...someCheckpoint.covers.slice(0, 1), ...someCheckpoint.covers.slice(0, 1)] }],
  ['partitions out of order', { covers: someCheckpoint.covers.toReversed() }],
  ['a partition out of range', { covers: [{ log: 1, partition: 100_000, next: 1n }] }],
  ['an offset out of range', { covers: [{ log: 1, partition: 0, next: 1n << 63n }] }],
])('%s cannot be stated', (_, changes) => {
  expect(isRefused(() => formatCheckpoint({ ...someCheckpoint, ...changes }))).toBe(true);
});

test.each([
  ['leading zeros', (text: string) => text.replace('\n1234\n', '\n01234\n')],
  ['a line more', (text: string) => `${text}more\n`],
  ['an empty line', (text: string) => text.replace('epoch', '\nepoch')],
  ['a line less', (text: string) => text.replace(/epoch.*\n/, '')],
  ['lines in another order', (text: string) => text.replace(/(sequence.*\n)(epoch.*\n)/, '$2$1')],
  ['another origin', (text: string) => text.replace('immutrail/', 'immutrails/')],
  ['two spaces', (text: string) => text.replace('covers ', 'covers  ')],
])('a text with %s is refused', (_, change) => {
  const text = formatCheckpoint(someCheckpoint);
  expect(change(text)).not.toBe(text);
  expect(isRefused(() => parseCheckpoint(change(text)))).toBe(true);
});

describe('a successor', () => {
  const text = formatCheckpoint(someCheckpoint);
  const covers = someCheckpoint.covers.map((each, i) => (i === 1 ? { ...each, next: 7n } : each));
  const check = (changes: Partial<Checkpoint>) =>
    requireSuccessor(text, successorOf(someCheckpoint, changes), nodeCrypto.hash);

  test.each<[string, Partial<Checkpoint>]>([
    ['goes on', {}],
    ['covers more', { covers: [...covers, { log: 4, partition: 0, next: 1n }] }],
    ['is of a later epoch', { epoch: 9n }],
    ['repeats the state when nothing happened', { tx: someCheckpoint.tx }],
  ])('%s', (_, changes) => {
    check(changes);
  });

  test.each<[string, Partial<Checkpoint>]>([
    ['is of another ledger', { ledgerId: '0198c2f4-7c1e-4abc-8def-0123456789ac' }],
    ['has another genesis', { genesis: digest(9) }],
    ['leaves a number out', { sequence: 3n }],
    ['names another one before it', { previous: digest(9) }],
    ['is of an older epoch', { epoch: 0n }],
    ['goes back', { tx: { id: 1233n, alh: digest(1) } }],
    ['has another hash for the same transaction', { tx: { id: 1234n, alh: digest(9) } }],
    ['covers less', { covers: someCheckpoint.covers.map((each) => ({ ...each, next: each.next / 2n })) }],
    ['leaves a partition out', { covers: someCheckpoint.covers.slice(1) }],
    ['covers more at the same transaction', { tx: someCheckpoint.tx, covers }],
    [
      'covers a partition more at the same transaction',
      { tx: someCheckpoint.tx, covers: [...someCheckpoint.covers, { log: 4, partition: 0, next: 1n }] },
    ],
  ])('that %s is refused', (_, changes) => {
    expect(isRefused(() => check(changes))).toBe(true);
  });
});

describe('the published vectors', () => {
  type Vector = { name: string; note: string; keys: string[]; valid: boolean; states?: Record<string, unknown> };
  const folder = new URL('../../fixtures/checkpoints/', import.meta.url);
  const { vectors } = JSON.parse(readFileSync(new URL('vectors.json', folder), 'utf8')) as { vectors: Vector[] };
  const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));

  test('the example of the page is the first of them', () => {
    const page = readFileSync('docs/checkpoint-format.md', 'utf8');
    expect(page).toContain(`\`\`\`text\n${vectors[0]?.note ?? 'none'}\`\`\``);
  });

  for (const { name, hash, verify } of [nodeCrypto, nobleCrypto]) {
    test.each(vectors)(`$name, with ${name}`, ({ note, keys, valid, states }) => {
      const open = () =>
        openCheckpoint(
          note,
          keys.map((key) => parseNoteKey(key, hash)),
          verify,
        );
      if (!valid) {
        expect(isRefused(open)).toBe(true);
        return;
      }
      const { checkpoint, signedBy } = open();
      expect({
        ledger_id: checkpoint.ledgerId,
        tx: checkpoint.tx.id.toString(),
        alh: hex(checkpoint.tx.alh),
        genesis: hex(checkpoint.genesis),
        sequence: checkpoint.sequence.toString(),
        epoch: checkpoint.epoch.toString(),
        previous: hex(checkpoint.previous),
        covers: checkpoint.covers.map(({ log, partition, next }) => [log, partition, next.toString()]),
        signed_by: signedBy.map(formatNoteKey),
      }).toEqual(states);
    });
  }
});
