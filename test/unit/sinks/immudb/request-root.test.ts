import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { digestOfEntry, rootOfDigests } from '../../../../src/proofs/entry.ts';
import type { Hash } from '../../../../src/proofs/hash.ts';
import { encodeSetRequest } from '../../../../src/sinks/immudb/client.ts';
import { rootOfRequest } from '../../../../src/sinks/immudb/request-root.ts';
import { rootThread } from '../../../../src/sinks/immudb/root-thread.ts';
import { maxTxEntries, transaction, type Transaction } from '../../../../src/sinks/immudb/transaction.ts';

type Given = { readonly key: string; readonly value: Buffer };

const sha256: Hash = (data) => createHash('sha256').update(data).digest();
const expected = (given: readonly Given[]) => {
  const digests = given.map(({ key, value }) =>
    digestOfEntry({ key: Buffer.from(key), value, metadata: null }, sha256),
  );
  return { entries: given.length, root: Uint8Array.from(rootOfDigests(digests, sha256)) };
};
const written = (given: readonly Given[]): Transaction => {
  const tx = transaction();
  for (const { key, value } of given) tx.add(key, value, 1n);
  tx.withoutWaiting();
  return tx;
};

const entry = fc.record({
  key: fc.string({ minLength: 1, maxLength: 1023, unit: 'grapheme-ascii' }),
  value: fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
});
const given = fc.array(entry, { maxLength: 40 });
const many = Array.from({ length: maxTxEntries }, (_, at) => ({ key: `event/${at}`, value: Buffer.alloc(at, at) }));
const large = [
  { key: 'a', value: Buffer.alloc(0) },
  { key: 'b', value: Buffer.alloc(300_000, 7) },
  { key: 'c', value: Buffer.alloc(1) },
];

describe('root of a request', () => {
  test('is that of its entries, whatever they are, and the request is left as it was', () => {
    fc.assert(
      fc.property(given, (entries) => {
        const request = written(entries).request();
        const before = Buffer.from(request);
        expect(rootOfRequest(request)).toEqual(expected(entries));
        expect(request.equals(before)).toBe(true);
      }),
    );
  });

  test.each([
    ['as many entries as a transaction may have', many],
    ['a value larger than the memory kept for hashing', large],
  ])('of %s', (_, entries) => {
    expect(rootOfRequest(written(entries).request())).toEqual(expected(entries));
  });

  test('changes with any bit of a key or a value', () => {
    const request = Buffer.from(written([{ key: 'event/1', value: Buffer.from('{"v":1}') }]).request());
    const whole = rootOfRequest(request).root;
    for (const text of ['event/1', '{"v":1}']) {
      const at = request.indexOf(text);
      for (let bit = 0; bit < text.length * 8; bit += 1) {
        const changed = Buffer.from(request);
        changed[at + (bit >> 3)]! ^= 1 << (bit & 7);
        expect(rootOfRequest(changed).root).not.toEqual(whole);
      }
    }
  });

  test('is that of the entries that the client itself encodes', () => {
    const given = many.slice(1);
    const entries = given.map(({ key, value }) => ({ key: Buffer.from(key), value }));
    expect(rootOfRequest(encodeSetRequest({ entries }))).toEqual(expected(given));
  });

  test('of bytes that are no request is an error', () => {
    expect(() => rootOfRequest(Buffer.from([0x0a, 3, 0x12, 1, 1]))).toThrow('byte 3 of a SetRequest');
    expect(() => rootOfRequest(Buffer.from([0x22, 0]))).toThrow('of a SetRequest');
  });
});

describe('thread that hashes', () => {
  const thread = rootThread();
  afterAll(() => thread.close());

  test('answers each request with its own root, several at once', async () => {
    const requests = [many, large, many.slice(0, 7)];
    const answers = await Promise.all(requests.map((entries) => thread.rootOf(written(entries).request())));
    expect(answers).toEqual(requests.map(expected));
  });

  test('answers for a small one as well, without being woken', async () => {
    const request = written(many.slice(0, 7)).request();
    expect(request.length).toBeLessThan(10_000);
    expect(await thread.rootOf(request)).toEqual(expected(many.slice(0, 7)));
  });

  test('refuses a request that it cannot see', async () => {
    await expect(thread.rootOf(Buffer.alloc(100_000))).rejects.toThrow('not in shared memory');
  });

  test('what it cannot answer any more rejects with what halts', async () => {
    const ending = rootThread();
    const asked = ending.rootOf(written(large).request());
    asked.catch(() => undefined);
    await ending.close();
    await expect(ending.rootOf(written(large).request())).rejects.toMatchObject({ code: 'UNEXPECTED' });
    await ending.close();
  });

  test('a request that is none ends it, and says so', async () => {
    const broken = rootThread();
    const request = Buffer.from(new SharedArrayBuffer(100_000));
    request[0] = 0x22;
    await expect(broken.rootOf(request)).rejects.toMatchObject({ code: 'UNEXPECTED' });
    await broken.close();
  });
});
