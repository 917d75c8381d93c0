import { equalBytes } from './bytes.ts';
import { verifyConsistency } from './consistency.ts';
import { digestBytes, type Hash } from './hash.ts';
import { alh, type TxHeader } from './header.ts';
import { verifyLinearAdvance, type LinearAdvance } from './linear-advance.ts';
import { climb, requireAlh, requireLinked, type TxHash } from './linking.ts';
import { requireProof } from './proof-error.ts';

/** immudb's proof that the ledger up to `source` is the beginning of the ledger up to `target`. */
export type DualProof = {
  readonly source: TxHeader;
  readonly target: TxHeader;
  /** Path of the source's hash in the target's linking tree. */
  readonly inclusion: readonly Uint8Array[];
  /** From the source's linking tree to the target's. */
  readonly consistency: readonly Uint8Array[];
  /** Hash of the last transaction in the target's linking tree (32 zero bytes: none), and its path in it. */
  readonly targetBlTxAlh: Uint8Array;
  readonly lastInclusion: readonly Uint8Array[];
  readonly linear: LinearProof | null;
  /** Only for transactions that servers of old wrote, whose linking trees lag. */
  readonly linearAdvance: LinearAdvance | null;
};

export type LinearProof = {
  readonly sourceTxId: bigint;
  readonly targetTxId: bigint;
  readonly terms: readonly Uint8Array[];
};

export type DualProofClaim = {
  readonly proof: DualProof;
  /** The transactions asked for; source at or before target. */
  readonly source: bigint;
  readonly target: bigint;
  /** One of the two ends, known beforehand. */
  readonly trusted: TxHash;
  /**
   * `exact` (the default) requires linking trees that reach to the transaction before, as every current server writes
   * them; `lagging` also verifies what servers of old wrote.
   */
  readonly linking?: 'exact' | 'lagging';
};

type Ends = { readonly source: TxHash; readonly target: TxHash };

const noDigest = new Uint8Array(digestBytes);

/** Both ends, proven. Throws ProofError if the proof does not connect them with what is trusted, or holds more. */
export const verifyDualProof = ({ proof, ...claim }: DualProofClaim, hash: Hash): Ends => {
  requireProof(claim.source >= 1n && claim.source <= claim.target, 'malformed', 'source is not before target');
  const isAsked = proof.source.id === claim.source && proof.target.id === claim.target;
  requireProof(isAsked, 'anchor', 'proof is about other transactions');
  const ends = endsOf(proof, hash);
  requireTrusted(ends, claim.trusted);
  verifyTrees(proof, hash);
  verifySource(proof, ends.source, hash);
  verifyLast(proof, hash);
  verifyLinear(proof, ends, hash);
  verifyLinking(proof, ends.source, claim.linking ?? 'exact', hash);
  return ends;
};

const endsOf = ({ source, target }: DualProof, hash: Hash): Ends => ({
  source: { id: source.id, alh: alh(source, hash) },
  target: { id: target.id, alh: alh(target, hash) },
});

const requireTrusted = ({ source, target }: Ends, trusted: TxHash): void => {
  const touched = [source, target].filter(({ id }) => id === trusted.id);
  requireProof(touched.length > 0, 'anchor', 'proof does not touch what is trusted');
  const agrees = touched.every((end) => equalBytes(end.alh, trusted.alh));
  requireProof(agrees, 'anchor', `transaction ${trusted.id.toString()} is not the one that is trusted`);
};

/** Parts that do not apply must be empty, here and below: nothing unchecked is let through. */
const verifyTrees = ({ source, target, consistency: path }: DualProof, hash: Hash): void => {
  for (const { blTxId, blRoot } of [source, target])
    requireProof(blTxId > 0n || equalBytes(blRoot, noDigest), 'malformed', 'root of an empty linking tree');
  if (source.blTxId === 0n) {
    requireProof(path.length === 0, 'consistency', 'consistency path where none is due');
    return;
  }
  const [earlier, later] = [
    { size: source.blTxId, root: source.blRoot },
    { size: target.blTxId, root: target.blRoot },
  ];
  verifyConsistency({ earlier, later, path }, hash);
};

const verifySource = ({ target, inclusion }: DualProof, source: TxHash, hash: Hash): void => {
  if (source.id < target.blTxId) requireLinked(source, inclusion, target, hash);
  else requireProof(inclusion.length === 0, 'inclusion', 'inclusion path where none is due');
};

const verifyLast = ({ target, targetBlTxAlh, lastInclusion }: DualProof, hash: Hash): void => {
  if (target.blTxId > 0n) {
    requireLinked({ id: target.blTxId, alh: targetBlTxAlh }, lastInclusion, target, hash);
    return;
  }
  requireProof(equalBytes(targetBlTxAlh, noDigest), 'inclusion', 'last hash of an empty linking tree');
  requireProof(lastInclusion.length === 0, 'inclusion', 'inclusion path in an empty linking tree');
};

/** From the source, or from the last transaction that the target's linking tree knows, one by one to the target. */
const verifyLinear = ({ target, targetBlTxAlh, linear }: DualProof, ends: Ends, hash: Hash): void => {
  const isLinked = ends.source.id < target.blTxId;
  const first = isLinked ? target.blTxId : ends.source.id;
  requireProof(linear !== null, 'linear', 'linear proof is missing');
  const isAsked = linear.sourceTxId === first && linear.targetTxId === target.id;
  requireProof(isAsked, 'linear', 'linear proof is about other transactions');
  const isWhole = BigInt(linear.terms.length) === target.id - first + 1n;
  requireProof(isWhole, 'linear', 'linear proof has the wrong length');
  const climbed = climb(first, linear.terms, hash);
  requireAlh(climbed[0], isLinked ? targetBlTxAlh : ends.source.alh, 'linear proof begins elsewhere');
  requireAlh(climbed.at(-1), ends.target.alh, 'linear proof ends elsewhere');
};

/** That the linking tree of the target ends where its chain says, and what the one of the source lags by. */
const verifyLinking = (proof: DualProof, source: TxHash, linking: 'exact' | 'lagging', hash: Hash): void => {
  const { target, targetBlTxAlh, linearAdvance: advance } = proof;
  const lastLinked = { id: target.blTxId, alh: targetBlTxAlh };
  if (source.id === lastLinked.id) requireAlh(lastLinked, source.alh, 'linking tree does not end with the source');
  if (target.id === lastLinked.id + 1n && target.id > 1n)
    requireAlh(lastLinked, target.prevAlh, 'linking tree does not end with the previous hash');
  if (linking === 'exact') requireExact(proof);
  verifyLinearAdvance({ advance, source: proof.source, sourceAlh: source.alh, target, targetBlTxAlh }, hash);
};

const requireExact = ({ source, target }: DualProof): void => {
  for (const { id, blTxId } of [source, target])
    requireProof(blTxId === id - 1n, 'unsupported', `linking tree of transaction ${id.toString()} lags`);
};
