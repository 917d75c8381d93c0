import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { verifyDualProof } from '../../proofs/dual-proof.ts';
import { alh } from '../../proofs/header.ts';
import type { TxHash } from '../../proofs/linking.ts';
import { requireProof } from '../../proofs/proof-error.ts';
import type { LedgerClient } from '../../sinks/immudb/client.ts';
import { orProofFailed } from '../../sinks/immudb/proof-source.ts';
import { sha256 } from '../../sinks/immudb/sha256.ts';
import type { Deviations } from './deviations.ts';

/** Names each of these transactions that is not proven to lie under the audit's end with the hash that is trusted. */
export const proveUnder = async (
  client: LedgerClient,
  earlier: readonly TxHash[],
  end: TxHash,
  deviations: Deviations,
): Promise<void> => {
  for (const trusted of earlier) {
    try {
      await prove(client, trusted, end);
    } catch (error) {
      if (!(error instanceof PipelineError) || error.disposition === 'retry') throw error;
      deviations.add('trust', { tx: trusted.id }, `the ledger does not extend what is trusted: ${error.message}`);
    }
  }
};

const prove = async (client: LedgerClient, trusted: TxHash, end: TxHash): Promise<void> => {
  const doing = `proving transaction ${trusted.id.toString()} under ${end.id.toString()}`;
  const answer = await client.verifiableTxById(trusted.id, end.id, 'none');
  orProofFailed(doing, () => {
    requireProof(answer !== null, 'malformed', 'immudb does not know it');
    const { dualProof: proof } = answer;
    verifyDualProof({ proof, source: trusted.id, target: end.id, trusted: end }, sha256);
    requireProof(equalBytes(alh(proof.source, sha256), trusted.alh), 'anchor', 'it has another hash');
  });
};
