import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { PipelineError } from '../../../../src/errors.ts';
import { formatNoteKey } from '../../../../src/proofs/note-key.ts';
import { makeKeyFile, publicKeyOf, readSigner } from '../../../../src/sinks/checkpoints/key-file.ts';
import { bitFlips } from '../../../support/bit-flips.ts';
import { nobleCrypto, nodeCrypto } from '../../../support/note-crypto.ts';

const folder = mkdtempSync(join(tmpdir(), 'immutrail-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

const codeOf = async (work: () => unknown): Promise<string> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof PipelineError) return error.code;
    throw error;
  }
  return 'none';
};

describe('a signing key', () => {
  const path = join(folder, 'one.key');

  test('is readable by its owner alone, signs what its public key verifies, and is never replaced', async () => {
    const key = await makeKeyFile(path, 'audit.example.org/2026');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const signer = readSigner(path);
    expect(formatNoteKey(signer.key)).toBe(formatNoteKey(key));
    const [message, other] = [Buffer.from('said'), Buffer.from('not said')];
    const signature = signer.sign(message);
    for (const { verify } of [nodeCrypto, nobleCrypto]) {
      expect(verify(key.publicKey, message, signature)).toBe(true);
      expect(verify(key.publicKey, other, signature)).toBe(false);
    }
    const before = readFileSync(path);
    expect(await codeOf(() => makeKeyFile(path, 'other'))).toBe('KEY_EXISTS');
    expect(readFileSync(path)).toEqual(before);
  });

  test('is another each time', async () => {
    const second = await makeKeyFile(join(folder, 'two.key'), 'audit.example.org/2026');
    expect(formatNoteKey(second)).not.toBe(formatNoteKey(readSigner(path).key));
  });

  test('with any one bit changed is refused, and nothing of it is shown', () => {
    const text = readFileSync(path);
    const damaged = join(folder, 'damaged.key');
    const secret = text.toString().trim().split('+').at(-1) ?? '';
    let tried = 0;
    for (const { changed, at } of bitFlips(Uint8Array.from(text.subarray(0, -1)))) {
      writeFileSync(damaged, changed);
      tried += 1;
      try {
        readSigner(damaged);
        throw new Error(`accepted with ${at} changed`);
      } catch (error) {
        if (!(error instanceof PipelineError)) throw error;
        expect(error.code).toBe('KEY_INVALID');
        expect(`${error.message} ${String(error.cause)}`).not.toContain(secret.slice(4, 20));
      }
    }
    expect(tried).toBeGreaterThan(600);
  });
});

test.each(['', 'a b', 'a+b', 'x'.repeat(201)])('a name like %j is refused before anything is written', async (name) => {
  expect(await codeOf(() => makeKeyFile(join(folder, 'never.key'), name))).toBe('KEY_INVALID');
  expect(() => statSync(join(folder, 'never.key'))).toThrow();
});

test('a folder or a public key that is not one is said so', async () => {
  expect(await codeOf(() => makeKeyFile(join(folder, 'none', 'k'), 'a'))).toBe('KEY_INVALID');
  expect(await codeOf(() => readSigner(join(folder, 'none')))).toBe('KEY_INVALID');
  expect(await codeOf(() => publicKeyOf('a+00000000+AQ=='))).toBe('KEY_INVALID');
});
