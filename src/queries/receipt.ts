import { PipelineError } from '../errors.ts';
import { equalBytes } from '../proofs/bytes.ts';
import { verifyDualProof, type DualProof } from '../proofs/dual-proof.ts';
import { digestOfEntry, entryDigest } from '../proofs/entry.ts';
import type { TxHash } from '../proofs/linking.ts';
import { inclusionPath, leafHashes } from '../proofs/merkle-tree.ts';
import type { NoteKey } from '../proofs/note-key.ts';
import type { Receipt } from '../proofs/receipt.ts';
import { textOfBytes } from '../proofs/utf8.ts';
import type { LedgerEntry } from '../sinks/immudb/answers.ts';
import { orProofFailed, type ProofSource } from '../sinks/immudb/proof-source.ts';
import { sha256 } from '../sinks/immudb/sha256.ts';

/** A signed note and the transaction that it states. */
export type Anchor = { readonly note: string; readonly tx: TxHash; readonly keys: readonly NoteKey[] };

/**
 * The receipt of this entry, under a checkpoint at its transaction or after it. Rejects with LEDGER_PROOF_FAILED when
 * the ledger does not hold the entry, or does not lead from it to what the checkpoint states.
 */
export const receiptOf = async (source: ProofSource, entry: LedgerEntry, anchor: Anchor): Promise<Receipt> => {
  const { note, tx, keys } = anchor;
  const doing = `proving transaction ${entry.tx.toString()} under checkpoint transaction ${tx.id.toString()}`;
  const answer = await source.verifiableTxById(entry.tx, tx.id, 'digests');
  if (answer === null) throw new PipelineError('LEDGER_ROLLED_BACK', `${doing}: immudb does not know it`);
  return orProofFailed(doing, () => {
    const { dualProof, tx: served } = answer;
    verifyDualProof({ proof: dualProof, source: entry.tx, target: tx.id, trusted: tx }, sha256);
    const digests = served.entries.map((each) => entryDigest(each, sha256));
    const leaf = leafOf(digests, entry);
    return {
      key: entry.key.toString(),
      value: textOfBytes(entry.value, 'the value of the event'),
      leaf,
      path: inclusionPath(leafHashes(digests, sha256), digests.length, leaf, sha256),
      header: dualProof.source,
      checkpoint: note,
      link: entry.tx === tx.id ? null : { header: dualProof.target, path: linkingPath(dualProof) },
      keys,
    };
  });
};

const leafOf = (digests: readonly Uint8Array[], entry: LedgerEntry): number => {
  const own = digestOfEntry(entry, sha256);
  const leaf = digests.findIndex((digest) => equalBytes(digest, own));
  if (leaf >= 0) return leaf;
  const message = `${entry.key.toString()} as served is not in transaction ${entry.tx.toString()}`;
  throw new PipelineError('LEDGER_PROOF_FAILED', message);
};

/** Of the transaction just before the target immudb states the path as that of the tree's last leaf. */
const linkingPath = ({ source, target, inclusion, lastInclusion }: DualProof): readonly Uint8Array[] =>
  source.id === target.blTxId ? lastInclusion : inclusion;
