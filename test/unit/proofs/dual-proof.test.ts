import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chainAtTarget, chainToJson, emptyChain, followHeader } from '../../../src/proofs/chain.ts';
import { verifyDualProof, type DualProof } from '../../../src/proofs/dual-proof.ts';
import { sha256 } from '../../../src/sinks/immudb/sha256.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { acceptedOf } from '../../support/refusals.ts';
import {
  innerOf,
  int,
  ledgerOf,
  nextTx,
  referenceLedger,
  type ReferenceLedger,
} from '../../support/reference-ledger.ts';
import { consistencyOf, pathOf, rootOf, sha } from '../../support/reference-tree.ts';

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

  test('a linear proof that is too long or too short is refused before it is climbed', () => {
    const honest = ledger.dualProof(2, 5);
    for (const terms of [[], honest.linear!.terms.slice(1), [...honest.linear!.terms, ledger.tx(6).inner]]) {
      const proof = { ...honest, linear: { ...honest.linear!, terms } };
      const check = () => verifyDualProof({ proof, ...ends(2, 5), trusted: trustedOf(ledger, 2) }, sha256);
      expect(check).toThrow('linear proof has the wrong length');
    }
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

  test('a linear advance that is too long or too short is refused before it is climbed', () => {
    const [s, t] = advanced[3]!;
    const honest = ledger.dualProof(s, t);
    const { terms } = honest.linearAdvance!;
    for (const wrong of [[], terms.slice(1), [...terms, terms[0]!]]) {
      const proof = { ...honest, linearAdvance: { ...honest.linearAdvance!, terms: wrong } };
      const claim = { proof, ...ends(s, t), trusted: trustedOf(ledger, t), linking: 'lagging' as const };
      expect(() => verifyDualProof(claim, sha256)).toThrow('linear advance proof has the wrong length');
    }
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

// The target is the server's to make up: its previous hash may be honest and its linking tree a lie, over which the
// next proofs would be made.
describe('a target whose linking tree lies about the last transaction in it', () => {
  const honest = ledgerOfSize(7);
  const linked = [...honest.txs.slice(0, 5).map((tx) => tx.alh), sha('never written')];

  /** Proof from transaction `s` to the transaction after the first `count`, which links `leaves`. */
  const lyingProof = (s: number, count: number, leaves: readonly Uint8Array[]) => {
    const past = honest.txs.slice(0, count);
    const { header } = nextTx(past, [entry('target')]);
    const lying = { ...header, blTxId: BigInt(leaves.length), blRoot: rootOf(leaves) };
    const inner = innerOf(lying);
    const target = { ...past[0]!, header: lying, inner, alh: sha(int(lying.id, 8), lying.prevAlh, inner) };
    const forged = ledgerOf([...past, target]);
    const proof = forged.dualProof(s, count + 1);
    const path = {
      inclusion: s < leaves.length ? pathOf(s - 1, leaves) : [],
      lastInclusion: pathOf(leaves.length - 1, leaves),
    };
    const consistency = consistencyOf(Number(proof.source.blTxId), leaves);
    return { forged, proof: { ...proof, ...path, consistency, targetBlTxAlh: leaves.at(-1)! } };
  };
  type Lie = { readonly forged: ReferenceLedger; readonly proof: DualProof };
  const check = (s: number, t: number, { forged, proof }: Lie) =>
    verifyDualProof({ proof, ...ends(s, t), trusted: trustedOf(forged, s), linking: 'lagging' }, sha256);

  test('verifies as long as the tree is honest', () => {
    const alhs = honest.txs.map((tx) => tx.alh).slice(0, 6);
    for (const [s, count] of [
      [6, 6],
      [6, 7],
      [3, 7],
      [7, 6],
    ] as const)
      check(s, count + 1, lyingProof(s, count, alhs));
  });

  test.each([
    ['that is the source, next to it', 6, 6, 'does not end with the source'],
    ['that is the source, far from it', 6, 7, 'does not end with the source'],
    ['after the source', 3, 7, 'linear proof begins elsewhere'],
    ['before a target that is also the source', 7, 6, 'does not end with the previous hash'],
  ])('is refused for one %s', (_, s, count, message) => {
    expect(() => check(s, count + 1, lyingProof(s, count, linked))).toThrow(message);
  });

  test('is refused when its tree is empty and has a root', () => {
    const [first] = honest.txs;
    const { header } = nextTx([first!], [entry('target')]);
    const lying = { ...header, blTxId: 0n, blRoot: sha('root of nothing') };
    const inner = innerOf(lying);
    const target = { ...first!, header: lying, inner, alh: sha(int(2n, 8), lying.prevAlh, inner) };
    const forged = ledgerOf([first!, target]);
    expect(() => check(1, 2, { forged, proof: forged.dualProof(1, 2) })).toThrow('root of an empty linking tree');
  });
});
