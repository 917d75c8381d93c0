import { appendLeaf, emptyFrontier, frontierRoot } from '../../src/proofs/frontier.ts';
import { digestOfEntry, valueHash, storedKey, type Entry } from '../../src/proofs/entry.ts';
import { alh, type TxHeader } from '../../src/proofs/header.ts';
import { leafHash } from '../../src/proofs/merkle-tree.ts';
import { consistencyOf, pathOf, rootOf, sha } from '../support/reference-tree.ts';

/** `value` null: the entry is a deletion. */
export type ChainEntry = { readonly key: Buffer; readonly value: Buffer | null; readonly metadata: Entry['metadata'] };

export type ChainTx = {
  readonly header: TxHeader;
  readonly alh: Uint8Array;
  readonly entries: readonly ChainEntry[];
  /** Leaf data of the tree of entries. */
  readonly digests: readonly Uint8Array[];
};

/** Transactions chained and linked as immudb 1.11 does it, in memory. `append` refuses beyond `maxTransactions`. */
export const newChain = (maxTransactions: number) => {
  const txs: ChainTx[] = [];
  let linking = emptyFrontier;

  const append = (entries: readonly ChainEntry[]): ChainTx => {
    if (txs.length >= maxTransactions) throw new Error(`the fake ledger holds ${maxTransactions} transactions at most`);
    const digests = entries.map((each) => digestOfEntry({ ...each, value: each.value ?? Buffer.alloc(0) }, sha));
    const header: TxHeader = {
      id: BigInt(txs.length + 1),
      prevAlh: txs.at(-1)?.alh ?? sha(),
      ts: BigInt(Math.floor(Date.now() / 1000)),
      nentries: entries.length,
      eH: rootOf(digests),
      blTxId: BigInt(txs.length),
      blRoot: frontierRoot(linking, sha),
      version: 1,
      metadata: null,
    };
    const tx = { header, alh: alh(header, sha), entries, digests };
    linking = appendLeaf(linking, leafHash(tx.alh, sha), sha);
    txs.push(tx);
    return tx;
  };

  return { append, txs: txs as readonly ChainTx[], tx: (id: bigint) => txs[Number(id) - 1] };
};

export type Chain = ReturnType<typeof newChain>;

/** Key and hash of a stored entry, as TxById states them. */
export const statedEntry = ({ key, value }: ChainEntry) => ({
  key: storedKey(key),
  hValue: value === null ? sha() : valueHash(value, sha),
});

/** In the shape of the wire; from `source` to `target`, both in the chain. */
export const dualProofOf = ({ txs }: Chain, source: number, target: number) => {
  const [from, to] = [txs[source - 1]!, txs[target - 1]!];
  const linked = txs.slice(0, target - 1).map((tx) => tx.alh);
  const first = Math.max(source, target - 1);
  return {
    sourceTxHeader: from.header,
    targetTxHeader: to.header,
    inclusionProof: source < target - 1 ? pathOf(source - 1, linked) : [],
    consistencyProof: source > 1 ? consistencyOf(source - 1, linked) : [],
    targetBlTxAlh: target > 1 ? linked.at(-1)! : new Uint8Array(32),
    lastInclusionProof: target > 1 ? pathOf(target - 2, linked) : [],
    linearProof: {
      sourceTxId: BigInt(first),
      targetTxId: BigInt(target),
      terms: first === target ? [to.alh] : [txs[first - 1]!.alh, innerOf(to.header)],
    },
    linearAdvanceProof: null,
  };
};

/** The inner hash of a header without metadata. */
const innerOf = ({ ts, version, nentries, eH, blTxId, blRoot }: TxHeader): Uint8Array => {
  const numbers = Buffer.alloc(16);
  numbers.writeBigInt64BE(ts, 0);
  numbers.writeUInt16BE(version, 8);
  numbers.writeUInt32BE(nentries, 12);
  const linked = Buffer.alloc(8);
  linked.writeBigUInt64BE(blTxId);
  return sha(numbers, eH, linked, blRoot);
};

export { pathOf };
