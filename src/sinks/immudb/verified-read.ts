import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { verifyDualProof } from '../../proofs/dual-proof.ts';
import { digestOfEntry, entryDigest, rootOfDigests, type Entry, type StoredEntry } from '../../proofs/entry.ts';
import type { TxHeader } from '../../proofs/header.ts';
import type { TxHash } from '../../proofs/linking.ts';
import { requireProof } from '../../proofs/proof-error.ts';
import { orProofFailed, type ProofSource } from './proof-source.ts';
import { sha256 } from './sha256.ts';

/** A transaction that is under the trusted hash, with the digests of all its entries. */
export type VerifiedTx = {
  readonly header: TxHeader;
  /** Whether an entry with this digest is in it. */
  holds(digest: Uint8Array): boolean;
};

/** An entry as it was served, and the transaction that it is said to be in. */
export type ServedEntry = Entry & { readonly tx: bigint };

/**
 * Reads that are proven before anybody acts on them. Waits are bounded by the deadlines of the source's calls. All
 * reject with LEDGER_PROOF_FAILED (halt) when the proof fails, and pass on what the source rejects with.
 */
export type VerifiedReads = {
  /** Proven once, and kept while it is among the last used. Concurrent calls for one transaction share the proof. */
  verifiedTx(id: bigint): Promise<VerifiedTx>;
  /** Resolves when exactly this key, value and metadata are in that transaction, under the trusted hash. */
  verifyEntry(entry: ServedEntry): Promise<void>;
};

export type VerifiedReadOptions = {
  readonly source: ProofSource;
  /** What everything is proven against. May move forward between calls. */
  readonly trusted: () => TxHash;
  /**
   * Moves `trusted` forward as far as the ledger goes now: proven (`proveExtends`) or followed, and remembered. Called
   * for a transaction beyond what is trusted, since two proofs that each only extend the trusted one may be of two
   * futures.
   */
  readonly advance: () => Promise<unknown>;
  /** Transactions kept; 32 bytes for each entry of theirs. Default 512. */
  readonly maxTransactions?: number;
};

export const verifiedReads = (options: VerifiedReadOptions): VerifiedReads => {
  const { source, trusted, maxTransactions = 512 } = options;
  const kept = new Map<bigint, Promise<VerifiedTx>>();
  const advance = shared(options.advance);

  const trustedFrom = async (id: bigint): Promise<TxHash> => {
    if (trusted().id < id) await advance();
    // One that was under way may have looked before this transaction was written: the next one looks later.
    if (trusted().id < id) await advance();
    const anchor = trusted();
    if (anchor.id >= id) return anchor;
    const message = `transaction ${id.toString()} was served, but the ledger ends at ${anchor.id.toString()}`;
    throw new PipelineError('LEDGER_PROOF_FAILED', message);
  };
  const prove = async (id: bigint): Promise<VerifiedTx> => proveTx(source, id, await trustedFrom(id));

  const verifiedTx = (id: bigint): Promise<VerifiedTx> => {
    const proven = kept.get(id) ?? prove(id);
    kept.delete(id);
    kept.set(id, proven);
    for (const oldest of kept.keys()) {
      if (kept.size <= maxTransactions) break;
      kept.delete(oldest);
    }
    // A failure is not kept. `proven` itself goes to the caller, so that nothing rejects unheard.
    proven.catch(() => kept.get(id) === proven && kept.delete(id));
    return proven;
  };

  return {
    verifiedTx,
    async verifyEntry(entry) {
      const tx = await verifiedTx(entry.tx);
      if (tx.holds(digestOfEntry(entry, sha256))) return;
      const key = Buffer.from(entry.key).toString();
      const message = `${key} as served is not in transaction ${entry.tx.toString()}`;
      throw new PipelineError('LEDGER_PROOF_FAILED', message);
    },
  };
};

/** One call at a time: whoever comes while one is under way gets that one's result. */
const shared = <T>(run: () => Promise<T>): (() => Promise<T>) => {
  let running: Promise<T> | null = null;
  return () => (running ??= run().finally(() => (running = null)));
};

const proveTx = async (source: ProofSource, id: bigint, anchor: TxHash): Promise<VerifiedTx> => {
  const answer = await source.verifiableTxById(id, anchor.id, 'digests');
  const doing = `proving transaction ${id.toString()} under ${anchor.id.toString()}`;
  if (answer === null) throw new PipelineError('LEDGER_ROLLED_BACK', `${doing}: immudb does not know it`);
  return orProofFailed(doing, () => {
    const { dualProof: proof, tx } = answer;
    verifyDualProof({ proof, source: id, target: anchor.id, trusted: anchor }, sha256);
    // The header beside the entries is only what the server says; the one in the proof is under the trusted hash.
    return verifiedTxOf(proof.source, tx.entries);
  });
};

const verifiedTxOf = (header: TxHeader, entries: readonly StoredEntry[]): VerifiedTx => {
  requireProof(entries.length === header.nentries, 'entry', 'not as many entries as the header states');
  const digests = entries.map((entry) => entryDigest(entry, sha256));
  const isRoot = equalBytes(rootOfDigests(digests, sha256), header.eH);
  requireProof(isRoot, 'entry', 'entries do not make the root that the header states');
  const sorted = Buffer.concat(digests.toSorted((a, b) => Buffer.compare(a, b)));
  return { header: ownCopy(header), holds: (digest) => isAmong(sorted, digest) };
};

/** What is kept must not view the message it came in, which may be megabytes. */
const ownCopy = ({ metadata, ...header }: TxHeader): TxHeader => {
  const { extra, ...others } = metadata ?? {};
  return {
    ...header,
    prevAlh: Uint8Array.from(header.prevAlh),
    eH: Uint8Array.from(header.eH),
    blRoot: Uint8Array.from(header.blRoot),
    metadata: extra === undefined ? metadata : { ...others, extra: Uint8Array.from(extra) },
  };
};

const isAmong = (sorted: Buffer, digest: Uint8Array): boolean => {
  let [low, high] = [0, sorted.length / 32];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = sorted.compare(digest, 0, 32, middle * 32, middle * 32 + 32);
    if (order === 0) return true;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
};
