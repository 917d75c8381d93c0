import type { DualProof } from '../../src/proofs/dual-proof.ts';
import type { Entry } from '../../src/proofs/entry.ts';
import type { TxHeader } from '../../src/proofs/header.ts';
import { consistencyOf, pathOf, rootOf, sha } from './reference-tree.ts';

// What an honest immudb would hold and prove, written apart from src/proofs.

export type ReferenceTx = {
  readonly header: TxHeader;
  readonly alh: Uint8Array;
  readonly inner: Uint8Array;
  readonly entries: readonly Entry[];
  readonly digests: readonly Uint8Array[];
};

export type ReferenceLedger = {
  /** `txs[0]` is transaction 1. */
  readonly txs: readonly ReferenceTx[];
  readonly tx: (id: number) => ReferenceTx;
  readonly dualProof: (source: number, target: number) => DualProof;
};

/** `lags[i]`: how far the linking tree of transaction i + 1 lags behind what a current server writes. */
export const referenceLedger = (transactions: readonly (readonly Entry[])[], lags: readonly number[] = []) => {
  const txs: ReferenceTx[] = [];
  transactions.forEach((entries, i) => txs.push(nextTx(txs, entries, lags[i] ?? 0)));
  return ledgerOf(txs);
};

export const ledgerOf = (txs: readonly ReferenceTx[]): ReferenceLedger => ({
  txs,
  tx: (id) => txs[id - 1]!,
  dualProof: (source, target) => dualProofOf(txs, source, target),
});

export const int = (value: bigint | number, bytes: number): Uint8Array =>
  Uint8Array.from(
    Buffer.from(BigInt.asUintN(64, BigInt(value)).toString(16).padStart(16, '0'), 'hex').subarray(8 - bytes),
  );

export const nextTx = (txs: readonly ReferenceTx[], entries: readonly Entry[], lag = 0): ReferenceTx => {
  const digests = entries.map(digestOf);
  const linked = Math.max(txs.at(-1) === undefined ? 0 : Number(txs.at(-1)!.header.blTxId), txs.length - lag);
  const header: TxHeader = {
    id: BigInt(txs.length + 1),
    prevAlh: txs.at(-1)?.alh ?? sha(),
    ts: 1_700_000_000n + BigInt(txs.length),
    nentries: entries.length,
    eH: rootOf(digests),
    blTxId: BigInt(linked),
    blRoot: rootOf(txs.slice(0, linked).map(({ alh }) => alh)),
    version: 1,
    metadata: txs.length % 3 === 1 ? { truncatedTxId: 1n, extra: Uint8Array.of(7, 8) } : null,
  };
  const inner = innerOf(header);
  return { header, inner, alh: sha(int(header.id, 8), header.prevAlh, inner), entries, digests };
};

export const innerOf = ({ ts, version, metadata, nentries, eH, blTxId, blRoot }: TxHeader): Uint8Array => {
  const { truncatedTxId = 0n, extra = new Uint8Array() } = metadata ?? {};
  const md = Buffer.concat([
    truncatedTxId === 0n ? new Uint8Array() : Buffer.concat([Uint8Array.of(0), int(truncatedTxId, 8)]),
    extra.length === 0 ? new Uint8Array() : Buffer.concat([Uint8Array.of(1), int(extra.length, 2), extra]),
  ]);
  return sha(int(ts, 8), int(version, 2), int(md.length, 2), md, int(nentries, 4), eH, int(blTxId, 8), blRoot);
};

export const digestOf = ({ key, value, metadata }: Entry): Uint8Array => {
  const md = Buffer.concat([
    metadata?.deleted === true ? Uint8Array.of(0) : new Uint8Array(),
    metadata?.expiresAt === undefined
      ? new Uint8Array()
      : Buffer.concat([Uint8Array.of(1), int(metadata.expiresAt, 8)]),
    metadata?.nonIndexable === true ? Uint8Array.of(2) : new Uint8Array(),
  ]);
  const hValue = metadata?.deleted === true && value.length === 0 ? sha() : sha(Uint8Array.of(0), value);
  return sha(int(md.length, 2), md, int(key.length + 1, 2), Uint8Array.of(0), key, hValue);
};

const dualProofOf = (txs: readonly ReferenceTx[], s: number, t: number): DualProof => {
  const [source, target] = [txs[s - 1]!, txs[t - 1]!];
  const alhs = txs.map(({ alh }) => alh);
  const [sb, tb] = [Number(source.header.blTxId), Number(target.header.blTxId)];
  const linked = alhs.slice(0, tb);
  const first = Math.max(s, tb);
  return {
    source: source.header,
    target: target.header,
    inclusion: s < tb ? pathOf(s - 1, linked) : [],
    consistency: sb > 0 ? consistencyOf(sb, linked) : [],
    targetBlTxAlh: tb > 0 ? alhs[tb - 1]! : new Uint8Array(32),
    lastInclusion: tb > 0 ? pathOf(tb - 1, linked) : [],
    linear: { sourceTxId: BigInt(first), targetTxId: BigInt(t), terms: linearTerms(txs, first, t) },
    linearAdvance: advanceOf(txs, sb, Math.min(s, tb), linked),
  };
};

const linearTerms = (txs: readonly ReferenceTx[], first: number, last: number): Uint8Array[] => [
  txs[first - 1]!.alh,
  ...txs.slice(first, last).map(({ inner }) => inner),
];

const advanceOf = (txs: readonly ReferenceTx[], sb: number, end: number, linked: readonly Uint8Array[]) =>
  end <= sb + 1
    ? null
    : {
        terms: linearTerms(txs, sb + 1, end),
        inclusions: Array.from({ length: end - sb - 1 }, (_, i) => ({
          leaf: 0,
          width: 0,
          path: pathOf(sb + i, linked),
        })),
      };
