import { describe, expect, test } from '@jest/globals';
import { encodeSetRequest, openLedgerClient, type Precondition } from '../../src/sinks/immudb/client.ts';
import { methods } from '../../src/sinks/immudb/proto/methods.ts';
import { b, refusedAs, type Subject } from './immudb-subject.ts';

/** Limits. */
export const refusalsContract = (the: Subject): void => {
  describe('requests that immudb refuses for good', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => ({ key: b(`many/${i}`), value: b('') }));
    const one = [{ key: b('one'), value: b('') }];
    const must = (key: Buffer): Precondition => ({ key, kind: 'must-not-exist' });
    const refusals: [string, Parameters<typeof encodeSetRequest>[0]][] = [
      ['no entries', { entries: [] }],
      ['1025 entries', { entries: many(1025) }],
      ['a key twice', { entries: [...one, ...one] }],
      ['an empty key', { entries: [{ key: b(''), value: b('') }] }],
      ['a key of 1024 bytes', { entries: [{ key: Buffer.alloc(1024, 97), value: b('') }] }],
      ['1025 preconditions', { entries: one, preconditions: many(1025).map(({ key }) => must(key)) }],
      ['a precondition on an empty key', { entries: one, preconditions: [must(b(''))] }],
      ['a precondition on a key of 1024 bytes', { entries: one, preconditions: [must(Buffer.alloc(1024, 97))] }],
      [
        'a precondition on transaction 0',
        { entries: one, preconditions: [{ key: b('one'), kind: 'not-modified-after', tx: 0n }] },
      ],
    ];
    test.each(refusals)('%s', async (_, request) => {
      const before = await the.client.currentState();
      const written = the.client.set(encodeSetRequest(request));
      await expect(written).rejects.toEqual(refusedAs('LEDGER_REQUEST_REFUSED', 'not-written'));
      expect((await the.client.currentState()).txId).toBe(before.txId);
    });

    test('1024 entries and a key of 1023 bytes are taken', async () => {
      expect((await the.client.set(encodeSetRequest({ entries: many(1024) }))).nentries).toBe(1024);
      await the.client.set(encodeSetRequest({ entries: [{ key: Buffer.alloc(1023, 97), value: b('') }] }));
    });

    const large = () => encodeSetRequest({ entries: [{ key: b('large'), value: Buffer.alloc(32 * 1024 * 1024) }] });

    test('a message over the limit is not sent', async () => {
      await expect(the.client.set(large())).rejects.toEqual(refusedAs('LEDGER_REQUEST_REFUSED', 'not-written'));
    });

    test('a message over the limit of the server is refused by it', async () => {
      const options = { ...the.rig.options, database: 'contract', maxMessageBytes: 64 * 1024 * 1024 };
      const bold = await openLedgerClient(options);
      await expect(bold.set(large())).rejects.toEqual(
        expect.objectContaining({
          code: 'LEDGER_REQUEST_REFUSED',
          message: expect.stringContaining('grpc: received message larger than max'),
        }),
      );
      await bold.close();
    });

    test('reads that cannot be', async () => {
      const refused = refusedAs('LEDGER_REQUEST_REFUSED', 'not-written');
      await expect(the.client.txById(0n, 'none')).rejects.toEqual(refused);
      await expect(the.client.txScan(0n, 1, 'none')).rejects.toEqual(refused);
      await expect(the.client.get(b(''))).rejects.toEqual(refused);
      const scan = the.session.call(methods.scan, { prefix: b(''), limit: 2501n });
      await expect(scan).rejects.toEqual(refused);
    });
  });
};
