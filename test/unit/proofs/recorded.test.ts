import { describe, expect, test } from '@jest/globals';
import { emptyChain, followHeader } from '../../../src/proofs/chain.ts';
import { verifyDualProof, type DualProof } from '../../../src/proofs/dual-proof.ts';
import { digestOfEntry, rootOfDigests } from '../../../src/proofs/entry.ts';
import { leafHash, verifyInclusion } from '../../../src/proofs/merkle-tree.ts';
import { requireSignedState, signedStateBytes } from '../../../src/proofs/state-signature.ts';
import { sha256 } from '../../../src/sinks/immudb/sha256.ts';
import { pinnedStateKey } from '../../../src/sinks/immudb/state-key.ts';
import { bitFlips } from '../../support/bit-flips.ts';
import { recordedProofs } from '../../support/recorded-proofs.ts';
import { acceptedOf, isRefused } from '../../support/refusals.ts';

const { txs, dualProofs, inclusion, state, publicKey } = recordedProofs();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const chains = [emptyChain(sha256)];
for (const { header } of txs) chains.push(followHeader(chains.at(-1)!, header, sha256));

describe('recorded from a real immudb', () => {
  test.each(txs)('header $header.id commits to exactly the entries that were sent', ({ entries, header }) => {
    const digests = entries.map((entry) => digestOfEntry(entry, sha256));
    expect(hex(rootOfDigests(digests, sha256))).toBe(hex(header.eH));
    expect(header.nentries).toBe(entries.length);
  });

  test('the chain of headers ends at the signed state', () => {
    expect(chains.at(-1)!.id).toBe(state.id);
    expect(hex(chains.at(-1)!.alh)).toBe(hex(state.alh));
  });

  test('the state is signed, and no bit of it or of its signature can change', () => {
    const verify = pinnedStateKey(publicKey);
    const check = ({ id, alh, signature }: Pick<typeof state, 'id' | 'alh' | 'signature'>) =>
      requireSignedState(state.database, { id, alh }, signature, verify);
    check(state);
    const { id, alh, signature } = state;
    const { tried, accepted } = acceptedOf(bitFlips({ id, alh, signature }), check);
    expect(accepted).toEqual([]);
    expect(tried).toBeGreaterThan(800);
    expect(isRefused(() => requireSignedState(`${state.database}x`, state, signature, verify))).toBe(true);
    expect(signedStateBytes(state.database, state)).toHaveLength(4 + state.database.length + 8 + 32);
  });

  test.each(dualProofs.map((proof) => ({ proof, from: proof.source.id, to: proof.target.id })))(
    'the dual proof from $from to $to verifies, and none with anything changed',
    ({ proof: recorded, from: source, to: target }) => {
      for (const trusted of [chains[Number(source)]!, chains[Number(target)]!]) {
        const check = (proof: DualProof) => verifyDualProof({ proof, source, target, trusted }, sha256);
        check(recorded);
        const { tried, accepted } = acceptedOf(bitFlips(recorded), check);
        expect(accepted).toEqual([]);
        expect(tried).toBeGreaterThan(2000);
      }
    },
  );

  test('the entry is included, and none with anything changed', () => {
    const { header, entries } = txs[Number(inclusion.tx) - 1]!;
    const leaf = leafHash(digestOfEntry(entries[inclusion.entry]!, sha256), sha256);
    const claim = { index: BigInt(inclusion.entry), leaf, path: inclusion.path };
    const check = (changed: typeof claim) =>
      verifyInclusion({ ...changed, width: BigInt(header.nentries), root: header.eH }, sha256);
    check(claim);
    const { tried, accepted } = acceptedOf(bitFlips(claim), check);
    expect(accepted).toEqual([]);
    expect(tried).toBeGreaterThan(1000);
  });
});
