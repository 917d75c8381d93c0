import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chainToJson, emptyChain, followHeader, type ChainState } from '../../src/proofs/chain.ts';
import { verifyDualProof, type DualProof } from '../../src/proofs/dual-proof.ts';
import { entryDigest, rootOfDigests, type Entry } from '../../src/proofs/entry.ts';
import type { TxHeader } from '../../src/proofs/header.ts';
import { inclusionPath, leafHash, leafHashes, verifyInclusion } from '../../src/proofs/merkle-tree.ts';
import type { LedgerClient } from '../../src/sinks/immudb/client.ts';
import { proveExtends } from '../../src/sinks/immudb/prove-extends.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import { pinnedStateKey } from '../../src/sinks/immudb/state-key.ts';
import { verifiedReads } from '../../src/sinks/immudb/verified-read.ts';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';
import { bitFlips } from '../support/bit-flips.ts';
import { plain } from '../support/plain.ts';
import type { ReferenceLedger } from '../support/reference-ledger.ts';
import { acceptedOf } from '../support/refusals.ts';
import { connect, createDatabase, deleteKey, referenceOf, someEntries, write } from '../support/written-ledger.ts';

const database = 'proofs';
const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 31, 33, 64, 100, 300, 1000, 1, 1, 1, 6, 12, 1, 2, 17, 1, 1, 40, 2, 1, 5, 3, 1];

let stack: Stack;
let client: LedgerClient;
let reference: ReferenceLedger;
const written: { entries: Entry[]; header: TxHeader }[] = [];
const chains: ChainState[] = [emptyChain(sha256)];

beforeAll(async () => {
  stack = await startNativeStack({ kafka: false, immudb: { signingKey: true } });
  await createDatabase(stack.immudb, database);
  client = await connect(stack.immudb, database);
  for (const [i, size] of sizes.entries()) {
    const entries = someEntries(i + 1, size);
    written.push({ entries, header: await write(client, entries) });
  }
  const { key } = written[3]!.entries[0]!;
  const deletion = { key, value: new Uint8Array(), metadata: { deleted: true } };
  written.push({ entries: [deletion], header: await deleteKey(stack.immudb, database, key) });
  for (const { header } of written) chains.push(followHeader(chains.at(-1)!, header, sha256));
  reference = referenceOf(written);
}, 120_000);

afterAll(async () => {
  await client.close();
  await stack.stop();
});

const last = () => written.length;
const verifiableTx = async (tx: number, since: number) =>
  (await client.verifiableTxById(BigInt(tx), BigInt(since), 'none'))!;

describe('of a real server', () => {
  test('every header that a write returned is the one that the reference makes of what was sent', () => {
    expect(plain(written.map(({ header }) => header))).toEqual(plain(reference.txs.map(({ header }) => header)));
    expect(last()).toBe(31);
  });

  test('the chain followed over these headers ends at the state that it signs', async () => {
    const state = await client.currentState();
    expect(plain({ id: state.txId, alh: state.alh })).toEqual(
      plain({ id: chains.at(-1)!.id, alh: chains.at(-1)!.alh }),
    );
  });

  test('every dual proof verifies from both ends and is, byte for byte, the one of the reference', async () => {
    let pairs = 0;
    for (let t = 1; t <= last(); t++)
      for (let s = 1; s <= t; s++) {
        const { dualProof: proof } = await verifiableTx(s, t);
        expect(plain(proof)).toEqual(plain(reference.dualProof(s, t)));
        for (const end of [s, t])
          verifyDualProof({ proof, source: BigInt(s), target: BigInt(t), trusted: chains[end]! }, sha256);
        pairs++;
      }
    expect(pairs).toBe((31 * 32) / 2);
  }, 120_000);

  test('no change to some dual proofs is accepted', async () => {
    for (const [s, t] of [
      [1, 1],
      [1, 2],
      [5, 5],
      [5, 6],
      [11, 29],
    ] as const) {
      const { dualProof } = await verifiableTx(s, t);
      const check = (proof: DualProof) =>
        verifyDualProof({ proof, source: BigInt(s), target: BigInt(t), trusted: chains[s]! }, sha256);
      check(dualProof);
      const { tried, accepted } = acceptedOf(bitFlips(dualProof), check);
      expect(accepted).toEqual([]);
      expect(tried).toBeGreaterThan(2000);
    }
  });

  test('entries read back make the root of their header, deleted ones and those with metadata included', async () => {
    for (const { header } of written) {
      const { entries } = (await client.txById(header.id, 'digests'))!;
      const digests = entries.map((entry) => entryDigest(entry, sha256));
      expect(plain(rootOfDigests(digests, sha256))).toBe(plain(header.eH));
    }
  });

  test('inclusion paths are, byte for byte, those of the own tree', async () => {
    for (const tx of [1, 2, 5, 9, 13, 14, 22]) {
      const { entries, header } = written[tx - 1]!;
      const digests = reference.tx(tx).digests;
      const hashes = leafHashes(digests, sha256);
      const plainOnes = entries.flatMap(({ metadata }, i) => (metadata === null ? [i] : []));
      for (const i of [plainOnes[0]!, plainOnes.at(-1)!]) {
        const { inclusion } = (await client.verifiableGet(entries[i]!.key, 1n))!;
        expect(inclusion.leaf).toBe(i);
        expect(inclusion.width).toBe(header.nentries);
        expect(plain(inclusion.path)).toEqual(plain(inclusionPath(hashes, digests.length, i, sha256)));
        const { leaf, path } = inclusion;
        const claim = { index: BigInt(leaf), width: BigInt(header.nentries), path, root: header.eH };
        verifyInclusion({ ...claim, leaf: leafHash(digests[i]!, sha256) }, sha256);
      }
    }
  }, 60_000);

  test('the signed state is proven to extend any transaction, with the frontier of the followed chain', async () => {
    const pem = await readFile(stack.immudb.signingPublicKeyFile!, 'utf8');
    const signed = { database, verify: pinnedStateKey(pem) };
    for (const id of [1, 2, 17, last() - 1]) {
      const proven = await proveExtends(client, { ...chains[id]!, frontier: null }, { signed });
      expect(chainToJson(proven)).toEqual(chainToJson(chains.at(-1)!));
    }
    const other = { ...signed, database: 'defaultdb' };
    const refused = expect.objectContaining({ code: 'LEDGER_PROOF_FAILED' });
    await expect(proveExtends(client, chains[3]!, { signed: other })).rejects.toEqual(refused);
  });

  test('every entry as it is read is proven, and none with one byte changed', async () => {
    const reads = verifiedReads({ source: client, trusted: () => chains.at(-1)!, advance: () => Promise.resolve() });
    const refused = expect.objectContaining({ code: 'LEDGER_PROOF_FAILED' });
    let proven = 0;
    for (const { entries } of written.slice(4, 14)) {
      const served = await client.getAll(entries.map(({ key }) => key));
      await Promise.all(served.map((entry) => reads.verifyEntry(entry)));
      proven += served.length;
      const [entry] = served;
      await expect(reads.verifyEntry({ ...entry!, tx: entry!.tx + 1n })).rejects.toEqual(refused);
      await expect(
        reads.verifyEntry({ ...entry!, value: Buffer.concat([entry!.value, Buffer.from(' ')]) }),
      ).rejects.toEqual(refused);
    }
    expect(proven).toBeGreaterThan(1000);
  });
});
