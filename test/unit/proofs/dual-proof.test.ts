import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chainAtTarget, chainToJson, emptyChain, followHeader } from '../../../src/proofs/chain.ts';
import { verifyDualProof, type DualProof } from '../../../src/proofs/dual-proof.ts';
import { sha256 } from '../../../src/sinks/immudb/sha256.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { acceptedOf } from '../../support/refusals.ts';
import { referenceLedger, type ReferenceLedger } from '../../support/reference-ledger.ts';

const entry = (text: string) => ({ key: Buffer.from(`k/${text}`), value: Buffer.from(text), metadata: null });
const ledgerOfSize = (size: number, fork = '', forkedAt = size) =>
  referenceLedger(Array.from({ length: size }, (_, i) => [entry(i < forkedAt ? `${i}` : `${i}${fork}`)]));
/** Linking trees that lag, catch up, and lag again, as databases of old servers have them. */
const laggingLedger = (size: number) =>
  referenceLedger(
    Array.from({ length: size }, (_, i) => [entry(`${i}`)]),
    Array.from({ length: size }, (_, i) => (i > 8 && i < 20 ? i - 8 : 0)),
  );

const trustedOf = (ledger: ReferenceLedger, id: number) => ({ id: BigInt(id), alh: ledger.tx(id).alh });
const ends = (source: number, target: number) => ({ source: BigInt(source), target: BigInt(target) });

describe('between transactions of a current server', () => {
  const ledger = ledgerOfSize(20);
  const pairs = ledger.txs.flatMap((_, t) => ledger.txs.slice(0, t + 1).map((_, s) => [s + 1, t + 1] as const));

  const chains = [emptyChain(sha256)];
  for (const { header } of ledger.txs) chains.push(followHeader(chains.at(-1)!, header, sha256));

  test('every pair verifies from either end, and brings the frontier at the target', () => {
    for (const [s, t] of pairs) {
      const proof = ledger.dualProof(s, t);
      for (const end of [s, t]) {
        const proven = verifyDualProof({ proof, ...ends(s, t), trusted: trustedOf(ledger, end) }, sha256);
        expect(chainToJson(chainAtTarget(proof, sha256))).toEqual(chainToJson(chains[t]!));
        expect(proven).toEqual({ source: trustedOf(ledger, s), target: trustedOf(ledger, t) });
      }
    }
    expect(pairs).toHaveLength(210);
  });

  test.each([
    [1, 1],
    [1, 2],
    [2, 2],
    [2, 3],
    [1, 9],
    [5, 17],
  ])('no change to the proof from %i to %i is accepted', (s, t) => {
    const check = (proof: DualProof) =>
      verifyDualProof({ proof, ...ends(s, t), trusted: trustedOf(ledger, s) }, sha256);
    check(ledger.dualProof(s, t));
    const { tried, accepted } = acceptedOf(bitFlips(ledger.dualProof(s, t)), check);
    expect(accepted).toEqual([]);
    expect(tried).toBeGreaterThan(2000);
  });

  test.each([
    ['inclusion', 1, 2],
    ['lastInclusion', 1, 1],
    ['consistency', 1, 5],
  ] as const)('an %s path where none is due is refused', (part, s, t) => {
    const proof = { ...ledger.dualProof(s, t), [part]: [ledger.tx(1).alh] };
    expect(() => verifyDualProof({ proof, ...ends(s, t), trusted: trustedOf(ledger, s) }, sha256)).toThrow(
      /none is due|empty/,
    );
  });

  test('a missing linear proof is refused', () => {
    const proof = { ...ledger.dualProof(2, 5), linear: null };
    expect(() => verifyDualProof({ proof, ...ends(2, 5), trusted: trustedOf(ledger, 2) }, sha256)).toThrow('missing');
  });

  test('a proof about other transactions, or one that touches nothing trusted, is refused', () => {
    const proof = ledger.dualProof(3, 7);
    expect(() => verifyDualProof({ proof, ...ends(3, 8), trusted: trustedOf(ledger, 3) }, sha256)).toThrow(
      'about other',
    );
    expect(() => verifyDualProof({ proof, ...ends(2, 7), trusted: trustedOf(ledger, 7) }, sha256)).toThrow(
      'about other',
    );
    expect(() => verifyDualProof({ proof, ...ends(3, 7), trusted: trustedOf(ledger, 5) }, sha256)).toThrow(
      'does not touch',
    );
    expect(() => verifyDualProof({ proof, ...ends(7, 3), trusted: trustedOf(ledger, 3) }, sha256)).toThrow(
      'not before',
    );
  });
});

describe('a ledger with another past', () => {
  test('never connects with what is trusted, wherever it forked', () => {
    const honest = ledgerOfSize(12);
    const spot = fc.record({
      forkedAt: fc.nat({ max: 8 }),
      s: fc.integer({ min: 9, max: 12 }),
      t: fc.integer({ min: 12, max: 16 }),
    });
    fc.assert(
      fc.property(spot, ({ forkedAt, s, t }) => {
        const forged = ledgerOfSize(16, 'forged', forkedAt);
        const claim = { proof: forged.dualProof(s, t), ...ends(s, t) };
        expect(() => verifyDualProof({ ...claim, trusted: trustedOf(honest, s) }, sha256)).toThrow(
          'not the one that is trusted',
        );
      }),
    );
  });

  test('is refused where an honest header is put over the forged tree', () => {
    const [honest, forged] = [ledgerOfSize(12), ledgerOfSize(16, 'forged', 5)];
    const proof = { ...forged.dualProof(12, 16), source: honest.tx(12).header };
    const claim = { proof, ...ends(12, 16), trusted: trustedOf(honest, 12) };
    expect(() => verifyDualProof(claim, sha256)).toThrow('does not lead to the');
  });
});

describe('between transactions of servers of old', () => {
  const ledger = laggingLedger(30);
  const pairs = ledger.txs.flatMap((_, t) => ledger.txs.slice(0, t + 1).map((_, s) => [s + 1, t + 1] as const));
  const advanced = pairs.filter(([s, t]) => ledger.dualProof(s, t).linearAdvance !== null);

  test('every pair verifies from either end, with linear advance proofs among them', () => {
    for (const [s, t] of pairs)
      for (const end of [s, t]) {
        const claim = { proof: ledger.dualProof(s, t), ...ends(s, t), trusted: trustedOf(ledger, end) };
        verifyDualProof({ ...claim, linking: 'lagging' }, sha256);
      }
    expect(advanced.length).toBeGreaterThan(50);
  });

  test('is refused by default', () => {
    const [s, t] = advanced[7]!;
    const claim = { proof: ledger.dualProof(s, t), ...ends(s, t), trusted: trustedOf(ledger, s) };
    expect(() => verifyDualProof(claim, sha256)).toThrow('lags');
  });

  test('no change to a proof with a linear advance is accepted', () => {
    fc.assert(
      fc.property(fc.nat({ max: advanced.length - 1 }), (which) => {
        const [s, t] = advanced[which]!;
        const check = (proof: DualProof) =>
          verifyDualProof({ proof, ...ends(s, t), trusted: trustedOf(ledger, t), linking: 'lagging' }, sha256);
        check(ledger.dualProof(s, t));
        const { tried, accepted } = acceptedOf(bitFlips(ledger.dualProof(s, t), 11), check);
        expect(accepted).toEqual([]);
        expect(tried).toBeGreaterThan(200);
      }),
      { numRuns: 6 },
    );
  });

  test('a linear advance that is missing, or there without need, is refused', () => {
    const [s, t] = advanced[3]!;
    const claim = { ...ends(s, t), trusted: trustedOf(ledger, t), linking: 'lagging' as const };
    const proof = ledger.dualProof(s, t);
    expect(() => verifyDualProof({ ...claim, proof: { ...proof, linearAdvance: null } }, sha256)).toThrow('missing');
    const plain = { ...ledger.dualProof(2, 4), linearAdvance: proof.linearAdvance };
    const plainClaim = { ...ends(2, 4), trusted: trustedOf(ledger, 2), proof: plain };
    expect(() => verifyDualProof(plainClaim, sha256)).toThrow('none is due');
  });
});
