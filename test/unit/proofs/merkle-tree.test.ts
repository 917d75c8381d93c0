import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { concatBytes } from '../../../src/proofs/bytes.ts';
import { verifyConsistency, type Consistency } from '../../../src/proofs/consistency.ts';
import { appendLeaf, emptyFrontier, frontierOf, frontierRoot, type Frontier } from '../../../src/proofs/frontier.ts';
import {
  inclusionPath,
  leafHash,
  leafHashes,
  nodeHash,
  rootOfLeafHashes,
  verifyInclusion,
  type Inclusion,
} from '../../../src/proofs/merkle-tree.ts';
import { ProofError } from '../../../src/proofs/proof-error.ts';
import { sha256 } from '../../../src/sinks/immudb/sha256.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { acceptedOf } from '../../support/refusals.ts';
import { consistencyOf, pathOf, rootOf, sha } from '../../support/reference-tree.ts';

const leavesOf = (count: number, seed = 0) => Array.from({ length: count }, (_, i) => sha(`${seed}/${i}`));
const hashesOf = (leaves: readonly Uint8Array[]) => leafHashes(leaves, sha256);
const bytes = (list: readonly Uint8Array[]) => list.map((each) => Buffer.from(each).toString('hex'));

const inclusionOf = (leaves: readonly Uint8Array[], index: number): Inclusion => ({
  index: BigInt(index),
  width: BigInt(leaves.length),
  leaf: leafHash(leaves[index]!, sha256),
  path: inclusionPath(hashesOf(leaves), leaves.length, index, sha256),
  root: rootOf(leaves),
});

const consistencyClaim = (size: number, leaves: readonly Uint8Array[]): Consistency => ({
  earlier: { size: BigInt(size), root: rootOf(leaves.slice(0, size)) },
  later: { size: BigInt(leaves.length), root: rootOf(leaves) },
  path: consistencyOf(size, leaves),
});

describe('root', () => {
  test.each([1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 100, 1000])('of %i leaves is the one of RFC 6962', (count) => {
    const leaves = leavesOf(count);
    expect(bytes([rootOfLeafHashes(hashesOf(leaves), count, sha256)])).toEqual(bytes([rootOf(leaves)]));
  });

  test('of no leaves is 32 zero bytes', () => {
    expect(rootOfLeafHashes(new Uint8Array(), 0, sha256)).toEqual(new Uint8Array(32));
  });

  test('refuses fewer leaf hashes than stated', () => {
    expect(() => rootOfLeafHashes(new Uint8Array(63), 2, sha256)).toThrow(ProofError);
  });

  test('leaves room behind the leaves alone', () => {
    const leaves = leavesOf(5);
    const roomy = concatBytes(hashesOf(leaves), new Uint8Array(64).fill(9));
    expect(bytes([rootOfLeafHashes(roomy, 5, sha256)])).toEqual(bytes([rootOf(leaves)]));
    expect(roomy.subarray(160)).toEqual(new Uint8Array(64).fill(9));
  });
});

describe('inclusion', () => {
  test('every leaf of every tree up to 40 leaves has the path of RFC 6962, and it verifies', () => {
    for (let count = 1; count <= 40; count++) {
      const leaves = leavesOf(count, count);
      for (let index = 0; index < count; index++) {
        const inclusion = inclusionOf(leaves, index);
        expect(bytes(inclusion.path)).toEqual(bytes(pathOf(index, leaves)));
        verifyInclusion(inclusion, sha256);
      }
    }
  });

  test('no bit of leaf, path, root or index can change, no term be left out, doubled or swapped', () => {
    const size = fc.integer({ min: 1, max: 70 });
    const place = size.chain((count) => fc.tuple(fc.constant(count), fc.nat({ max: count - 1 })));
    fc.assert(
      fc.property(place, fc.nat(), ([count, index], seed) => {
        const { width, ...claim } = inclusionOf(leavesOf(count, seed), index);
        const { tried, accepted } = acceptedOf(bitFlips(claim, 3), (changed) =>
          verifyInclusion({ ...changed, width }, sha256),
        );
        expect(accepted).toEqual([]);
        expect(tried).toBeGreaterThan(100);
      }),
      { numRuns: 12 },
    );
  });

  test('a leaf outside of the tree is refused', () => {
    const inclusion = inclusionOf(leavesOf(4), 3);
    expect(() => verifyInclusion({ ...inclusion, index: 4n }, sha256)).toThrow('leaf 4 of 4');
    expect(() => verifyInclusion({ ...inclusion, index: -1n }, sha256)).toThrow('leaf -1 of 4');
    expect(() => verifyInclusion({ ...inclusion, width: 0n, index: 0n }, sha256)).toThrow('leaf 0 of 0');
    expect(() => inclusionPath(hashesOf(leavesOf(4)), 4, 4, sha256)).toThrow('leaf 4 of 4');
  });
});

// Paths that lead to the root they are given, for a tree of another size: only their length gives them away.
describe('a path of the wrong length', () => {
  const [a, b, c] = leavesOf(3).map((leaf) => leafHash(leaf, sha256)) as [Uint8Array, Uint8Array, Uint8Array];
  const two = nodeHash(a, b, sha256);

  test('is refused although it leads to the root', () => {
    const long = { index: 0n, width: 1n, leaf: b, path: [a], root: two };
    expect(() => verifyInclusion(long, sha256)).toThrow('inclusion path is too long');
    const short = { index: 0n, width: 2n, leaf: a, path: [], root: a };
    expect(() => verifyInclusion(short, sha256)).toThrow('inclusion path is too short');
  });

  test('is refused although it leads to both roots', () => {
    const tree = (size: bigint, root: Uint8Array) => ({ size, root });
    const [first, later] = [nodeHash(c, a, sha256), nodeHash(c, two, sha256)];
    const long = { earlier: tree(1n, first), later: tree(2n, later), path: [a, b, c] };
    expect(() => verifyConsistency(long, sha256)).toThrow('consistency path is too long');
    const short = { earlier: tree(1n, a), later: tree(4n, a), path: [a] };
    expect(() => verifyConsistency(short, sha256)).toThrow('consistency path is too short');
    expect(() => verifyConsistency({ ...short, path: [] }, sha256)).toThrow('consistency path is too short');
    const same = { earlier: tree(1n, a), later: tree(1n, a), path: [b] };
    expect(() => verifyConsistency(same, sha256)).toThrow('consistency path is too long');
  });

  test('of a term is refused, also when what was hashed before would complete it', () => {
    for (const wrong of [b.slice(0, 31), Uint8Array.of(...b, 0), new Uint8Array()]) {
      nodeHash(a, b, sha256);
      expect(() => nodeHash(a, wrong, sha256)).toThrow('right node has');
      expect(() => nodeHash(wrong, b, sha256)).toThrow('left node has');
      expect(() => leafHash(wrong, sha256)).toThrow('data of a leaf has');
    }
  });
});

describe('consistency', () => {
  test('every pair of trees up to 24 leaves verifies', () => {
    for (let count = 1; count <= 24; count++)
      for (let size = 1; size <= count; size++) verifyConsistency(consistencyClaim(size, leavesOf(count)), sha256);
  });

  test('random pairs verify, and none with a bit, a term or a size changed', () => {
    const pair = fc
      .integer({ min: 1, max: 300 })
      .chain((count) => fc.tuple(fc.integer({ min: 1, max: count }), fc.constant(count)));
    fc.assert(
      fc.property(pair, fc.nat(), ([size, count], seed) => {
        const { earlier, later, path } = consistencyClaim(size, leavesOf(count, seed));
        verifyConsistency({ earlier, later, path }, sha256);
        const changes = bitFlips({ path, earlier: earlier.root, later: later.root }, 5);
        const { tried, accepted } = acceptedOf(changes, (changed) => {
          const trees = { earlier: { ...earlier, root: changed.earlier }, later: { ...later, root: changed.later } };
          verifyConsistency({ ...trees, path: changed.path }, sha256);
        });
        expect(accepted).toEqual([]);
        expect(tried).toBeGreaterThan(100);
      }),
      { numRuns: 12 },
    );
  });

  test('a tree that is not the beginning of the later one is refused', () => {
    const [leaves, others] = [leavesOf(20, 1), leavesOf(7, 2)];
    const claim = consistencyClaim(7, leaves);
    const foreign = { ...claim, earlier: { size: 7n, root: rootOf(others) } };
    expect(() => verifyConsistency(foreign, sha256)).toThrow('does not lead to the earlier root');
    expect(() => verifyConsistency({ ...claim, earlier: claim.later, later: claim.earlier }, sha256)).toThrow(
      ProofError,
    );
    expect(() => verifyConsistency({ ...claim, earlier: { ...claim.earlier, size: 0n } }, sha256)).toThrow(
      'trees of 0',
    );
  });
});

describe('frontier', () => {
  const grow = (leaves: readonly Uint8Array[]): Frontier =>
    leaves.reduce((frontier, leaf) => appendLeaf(frontier, leafHash(leaf, sha256), sha256), emptyFrontier);

  test('has the root of the whole tree after every append', () => {
    const leaves = leavesOf(130);
    let frontier = emptyFrontier;
    expect(frontierRoot(frontier, sha256)).toEqual(new Uint8Array(32));
    for (const [i, leaf] of leaves.entries()) {
      frontier = appendLeaf(frontier, leafHash(leaf, sha256), sha256);
      expect(bytes([frontierRoot(frontier, sha256)])).toEqual(bytes([rootOf(leaves.slice(0, i + 1))]));
      expect(frontierOf(frontier.size, frontier.hashes)).toEqual(frontier);
    }
  });

  test('never holds more than 64 hashes, and the full one takes no more', () => {
    const full = frontierOf((1n << 64n) - 1n, leavesOf(64));
    expect(full.hashes).toHaveLength(64);
    expect(() => appendLeaf(full, sha('one more'), sha256)).toThrow('tree is full');
    expect(() => frontierOf(1n << 64n, leavesOf(1))).toThrow(ProofError);
  });

  test('is refused with another number of hashes than its size has bits', () => {
    const { size, hashes } = grow(leavesOf(11));
    expect(hashes).toHaveLength(3);
    expect(() => frontierOf(size, hashes.slice(1))).toThrow('frontier of 2 hashes instead of 3');
    expect(() => frontierOf(size, [...hashes.slice(1), new Uint8Array(31)])).toThrow('31 bytes');
  });
});
