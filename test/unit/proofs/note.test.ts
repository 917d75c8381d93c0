import { describe, expect, test } from '@jest/globals';
import { formatNoteKey, formatNoteSeed, noteKey, parseNoteKey, parseNoteSeed } from '../../../src/proofs/note-key.ts';
import { formatNote, parseNote, requireSigned, signNote, type NoteSigner } from '../../../src/proofs/note.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { nobleCrypto, nodeCrypto, testSeed } from '../../support/note-crypto.ts';
import { acceptedOf, isRefused } from '../../support/refusals.ts';

const text = 'If you think cryptography is the answer to your problem,\nthen you don’t know what your problem is.\n';

describe.each([
  { ...nodeCrypto, stride: 1 },
  { ...nobleCrypto, stride: 13 },
])('with $name', ({ hash, verify, signerOf, stride }) => {
  const [first, second] = [signerOf(testSeed('example.org/first')), signerOf(testSeed('second', 100))];
  const note = signNote(text, [first, second]);
  const open = (source: string | Uint8Array, keys = [first.key]) => {
    const parsed = parseNote(source);
    return { text: parsed.text, signedBy: requireSigned(parsed, keys, verify).map(({ name }) => name) };
  };

  test('a note is its text, an empty line and a line for each signature', () => {
    expect(note.startsWith(`${text}\n— example.org/first `)).toBe(true);
    expect(note.split('\n')).toHaveLength(6);
    expect(formatNote(parseNote(note))).toBe(note);
    expect(formatNote(parseNote(Buffer.from(note)))).toBe(note);
  });

  test('tells which of the accepted keys signed it, and passes over the others', () => {
    expect(open(note).signedBy).toEqual(['example.org/first']);
    expect(open(note, [second.key, first.key]).signedBy).toEqual(['example.org/first', 'second']);
    expect(isRefused(() => open(note, [signerOf(testSeed('third', 7)).key]))).toBe(true);
    expect(isRefused(() => open(note, []))).toBe(true);
  });

  test('the same key under another name did not sign it', () => {
    expect(isRefused(() => open(note, [noteKey('other', first.key.publicKey, hash)]))).toBe(true);
  });

  test('one wrong signature of an accepted key refuses the note, whoever else signed it', () => {
    const liar: NoteSigner = { key: second.key, sign: first.sign };
    const forged = signNote(text, [first, liar]);
    expect(open(forged).signedBy).toEqual(['example.org/first']);
    expect(isRefused(() => open(forged, [first.key, second.key]))).toBe(true);
    const twice = signNote(text, [first, first]);
    expect(isRefused(() => open(twice))).toBe(true);
  });

  test('a note with any one bit changed is refused, or says the same and is signed by nobody else', () => {
    const whole = open(note, [first.key, second.key]);
    const { tried, accepted } = acceptedOf(bitFlips(Buffer.from(note), stride), (changed) => {
      const other = open(changed, [first.key, second.key]);
      expect(other.text).toBe(whole.text);
      expect(other.signedBy).toHaveLength(1);
    });
    expect(tried).toBe(Math.ceil((Buffer.byteLength(note) * 8) / stride));
    // A changed name or key id is that of a key which nobody asked for.
    const signatures = Buffer.byteLength(text) + 1;
    expect(accepted.filter((at) => Number(/\[(\d+)\]/.exec(at)?.[1]) < signatures)).toEqual([]);
    const byOne = Buffer.from(signNote(text, [first]));
    expect(acceptedOf(bitFlips(byOne, stride), (changed) => open(changed)).accepted).toEqual([]);
  });

  test('a public key with any one bit changed is refused, or is another key', () => {
    const vkey = formatNoteKey(first.key);
    expect(parseNoteKey(vkey, hash)).toEqual(first.key);
    const { accepted } = acceptedOf(bitFlips(Buffer.from(vkey), stride), (bytes) =>
      open(note, [parseNoteKey(bytes.toString(), hash)]),
    );
    expect(accepted).toEqual([]);
  });
});

test('the key id is that of C2SP: the example of signed-note', () => {
  // Go's note package documents this key pair; id and name are in its form.
  const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
  const key = parseNoteKey(vkey, nodeCrypto.hash);
  expect([key.name, Buffer.from(key.id).toString('hex'), formatNoteKey(key)]).toEqual([
    'PeterNeumann',
    'c74f20a3',
    vkey,
  ]);
  const note =
    'If you think cryptography is the answer to your problem,\n' +
    "then you don't know what your problem is.\n\n" +
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
  for (const { verify } of [nodeCrypto, nobleCrypto]) {
    expect(requireSigned(parseNote(note), [key], verify)).toEqual([key]);
  }
});

test('a signing key is read back as it was written', () => {
  const seed = testSeed('some.name/with-it');
  const { id } = nodeCrypto.signerOf(seed).key;
  expect(parseNoteSeed(formatNoteSeed(seed, id))).toEqual({ ...seed, id });
});

test.each([
  ['no text', '\n\n— a AAAAAAAA\n'],
  ['no signature', 'text\n\n'],
  ['no end', 'text\n\n— a AAAAAAAA'],
  ['no empty line', 'text\n— a AAAAAAAA\n'],
  ['a control character', 'te\u0007xt\n\n— a AAAAAAAA\n'],
  ['a carriage return', 'text\r\n\n— a AAAAAAAA\n'],
  ['another dash', 'text\n\n- a AAAAAAAA\n'],
  ['a plus in the name', 'text\n\n— a+b AAAAAAAA\n'],
  ['an empty signature', 'text\n\n— a AAAAAA==\n'],
  ['base64 of another form', 'text\n\n— a AAAAAAB=\n'],
  ['a line after the signatures', 'text\n\n— a AAAAAAAA\nmore\n'],
  ['half a surrogate pair', 'te\ud800xt\n\n— a AAAAAAAA\n'],
])('a note with %s is refused', (_, source) => {
  expect(isRefused(() => parseNote(source))).toBe(true);
});

test('a note that is too large is refused before it is looked at', () => {
  expect(isRefused(() => parseNote(`${'x'.repeat(900_000)}\n\n— a AAAAAAAA\n`))).toBe(true);
  expect(isRefused(() => parseNote(Uint8Array.of(0xff, 0x0a, 0x0a)))).toBe(true);
});
