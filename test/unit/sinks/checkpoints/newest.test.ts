import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { formatCheckpoint, type Checkpoint } from '../../../../src/proofs/checkpoint.ts';
import { signNote } from '../../../../src/proofs/note.ts';
import { newestOfFolder, writeCheckpoint } from '../../../../src/sinks/checkpoints/folder.ts';
import { newestCheckpoint } from '../../../../src/sinks/checkpoints/newest.ts';
import { newestOfLog } from '../../../../src/sinks/checkpoints/note-log.ts';
import { someCheckpoint, successorOf } from '../../../support/checkpoints.ts';
import { nodeCrypto, testSeed } from '../../../support/note-crypto.ts';

const [signer, stranger] = [nodeCrypto.signerOf(testSeed('ours')), nodeCrypto.signerOf(testSeed('theirs', 9))];
const keys = [signer.key];
const second = successorOf(someCheckpoint);
const third = successorOf(second);
const noteOf = (checkpoint: Checkpoint, by = signer) => signNote(formatCheckpoint(checkpoint), [by]);
const foreign = { ...third, ledgerId: '0198c2f4-7c1e-4abc-8def-0123456789ff' };

const folder = mkdtempSync(join(tmpdir(), 'immutrail-checkpoints-'));
afterAll(() => rmSync(folder, { recursive: true }));

const topicOf = (notes: readonly string[], perRead: number) =>
  newestOfLog({
    bounds: () => Promise.resolve({ start: 5n, end: 5n + BigInt(notes.length) }),
    read: (from) =>
      Promise.resolve(
        notes.slice(Number(from) - 5, Number(from) - 5 + perRead).map((note, i) => ({
          offset: from + BigInt(i),
          value: note === '' ? null : Buffer.from(note),
        })),
      ),
  });

test.each([1, 7, 1000])(
  'the newest that is signed is found behind hundreds that are not, %i a read',
  async (perRead) => {
    const junk = Array.from({ length: 300 }, (_, i) => (i % 3 === 0 ? '' : `junk ${i}`));
    const notes = [noteOf(someCheckpoint), noteOf(second), ...junk, noteOf(third, stranger), noteOf(foreign)];
    const found = await newestCheckpoint([topicOf(notes, perRead)], { keys, ledgerId: someCheckpoint.ledgerId });
    expect(found?.checkpoint).toEqual(second);
    expect((await newestCheckpoint([topicOf(notes, perRead)], { keys }))?.checkpoint).toEqual(foreign);
  },
);

test('none is found where none is, or none is signed', async () => {
  expect(await newestCheckpoint([topicOf([], 10)], { keys })).toBeNull();
  expect(await newestCheckpoint([topicOf([noteOf(third, stranger)], 10)], { keys })).toBeNull();
  expect(await newestCheckpoint([newestOfFolder(join(folder, 'none'))], { keys })).toBeNull();
});

test('a folder holds each checkpoint as a file of its own, and other files are let alone', async () => {
  for (const one of [third, someCheckpoint, second]) {
    await writeCheckpoint(folder, one, formatCheckpoint(one), noteOf(one));
    await writeCheckpoint(folder, one, formatCheckpoint(one), noteOf(one));
  }
  expect(readdirSync(folder)).toHaveLength(3);
  writeFileSync(join(folder, '99999999999999999999-0000000000000000.checkpoint'), 'not a note');
  writeFileSync(join(folder, 'readme.txt'), noteOf(successorOf(third)));
  expect((await newestCheckpoint([newestOfFolder(folder)], { keys }))?.checkpoint).toEqual(third);
  const both = [topicOf([noteOf(second)], 10), newestOfFolder(folder)];
  expect((await newestCheckpoint(both, { keys }))?.checkpoint).toEqual(third);
});
