import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  chainAtTarget,
  chainFromJson,
  chainToJson,
  emptyChain,
  followHeader,
  type ChainState,
} from '../../../src/proofs/chain.ts';
import type { TxHeader } from '../../../src/proofs/header.ts';
import { sha256 } from '../../../src/sinks/immudb/sha256.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { acceptedOf } from '../../support/refusals.ts';
import { referenceLedger } from '../../support/reference-ledger.ts';

const entry = (text: string) => ({ key: Buffer.from(`k/${text}`), value: Buffer.from(text), metadata: null });
const ledger = referenceLedger(Array.from({ length: 40 }, (_, i) => [entry(`${i}`), entry(`${i}/b`)]));
const headers = ledger.txs.map(({ header }) => header);
const follow = (from: ChainState, list: readonly TxHeader[]) =>
  list.reduce((state, header) => followHeader(state, header, sha256), from);

describe('a chain', () => {
  test('is followed from the genesis to the same hash at every transaction', () => {
    let state = emptyChain(sha256);
    for (const { header, alh } of ledger.txs) {
      state = followHeader(state, header, sha256);
      expect(state.id).toBe(header.id);
      expect(Buffer.from(state.alh).equals(alh)).toBe(true);
      expect(state.frontier?.size).toBe(header.id);
    }
  });

  test('is followed without a frontier from any transaction', () => {
    const start = { id: 17n, alh: ledger.tx(17).alh, frontier: null };
    const end = follow(start, headers.slice(17));
    expect(end).toEqual({ id: 40n, alh: sha256Plain(ledger.tx(40).alh), frontier: null });
  });

  test('refuses a header that is left out, repeated or not the next', () => {
    const state = follow(emptyChain(sha256), headers.slice(0, 10));
    expect(() => followHeader(state, headers[11]!, sha256)).toThrow('header of transaction 12 where 11 is due');
    expect(() => followHeader(state, headers[9]!, sha256)).toThrow('where 11 is due');
  });

  test.each(['known', 'unknown'])('refuses a header that follows another transaction, its frontier %s', (which) => {
    const state = follow(emptyChain(sha256), headers.slice(0, 10));
    const from = which === 'known' ? state : { ...state, frontier: null };
    expect(() => followHeader(from, { ...headers[10]!, prevAlh: headers[9]!.prevAlh }, sha256)).toThrow(
      'follows another',
    );
  });

  test('is not taken from a proof whose linking tree lags', () => {
    const lagging = referenceLedger([[entry('a')], [entry('b')], [entry('c')]], [0, 0, 1]);
    expect(() => chainAtTarget(lagging.dualProof(1, 3), sha256)).toThrow('lags');
  });

  test('refuses any change to the header before', () => {
    const state = follow(emptyChain(sha256), headers.slice(0, 10));
    const { tried, accepted } = acceptedOf(bitFlips(headers[10]!), (changed) => follow(state, [changed, headers[11]!]));
    expect(accepted).toEqual([]);
    expect(tried).toBeGreaterThan(500);
  });

  test('refuses another linking tree only if it knows the frontier', () => {
    const state = follow(emptyChain(sha256), headers.slice(0, 10));
    const lying = { ...headers[10]!, blRoot: new Uint8Array(32) };
    expect(() => followHeader(state, lying, sha256)).toThrow('states another linking tree');
    expect(followHeader({ ...state, frontier: null }, lying, sha256).id).toBe(11n);
  });

  test('refuses a linking tree that lags', () => {
    const lagging = referenceLedger([[entry('a')], [entry('b')], [entry('c')]], [0, 0, 1]);
    expect(() =>
      follow(
        emptyChain(sha256),
        lagging.txs.map(({ header }) => header),
      ),
    ).toThrow('lagging');
  });

  test('goes on from its JSON as if nothing had happened', () => {
    fc.assert(
      fc.property(fc.nat({ max: 40 }), (cut) => {
        const state = follow(emptyChain(sha256), headers.slice(0, cut));
        const restored = chainFromJson(
          JSON.parse(JSON.stringify(chainToJson(state))) as ReturnType<typeof chainToJson>,
        );
        const [end, whole] = [follow(restored, headers.slice(cut)), follow(state, headers.slice(cut))];
        expect(chainToJson(end)).toEqual(chainToJson(whole));
      }),
    );
  });

  test.each([
    [{ tx: '01', alh: '00'.repeat(32) }, 'not a decimal'],
    [{ tx: '-1', alh: '00'.repeat(32) }, 'not a decimal'],
    [{ tx: '1', alh: '00'.repeat(31) }, 'not 32 bytes'],
    [{ tx: '1', alh: 'zz'.repeat(32) }, 'not 32 bytes'],
    [{ tx: '3', alh: '00'.repeat(32), frontier: ['00'.repeat(32)] }, 'frontier of 1 hashes instead of 2'],
    [{ tx: '1', alh: '00'.repeat(32), frontier: ['00'] }, 'not 32 bytes'],
  ])('refuses damaged JSON: %j', (json, message) => {
    expect(() => chainFromJson(json)).toThrow(message);
  });
});

const sha256Plain = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
