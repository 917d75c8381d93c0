import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { followHeader, type ChainState } from '../../proofs/chain.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { alh, type TxHeader } from '../../proofs/header.ts';
import type { Ledger } from './ledger.ts';
import { orProofFailed } from './proof-source.ts';
import { sha256 } from './sha256.ts';

/** Headers asked for at once; other writers' transactions between two of ours are few. */
const pageSize = 500;

/**
 * Trusts a header of ours: it must continue the chain from what is trusted, over every transaction between, whoever
 * wrote it. Rejects with LEDGER_PROOF_FAILED when it does not.
 */
export const followTo = async (
  { client, trusted, reads }: Pick<Ledger, 'client' | 'trusted' | 'reads'>,
  header: TxHeader,
): Promise<void> => {
  let chain: ChainState = trusted.current();
  // A read went ahead of us: this transaction is under the hash that was proven since.
  if (header.id < chain.id) return;
  if (header.id === chain.id) {
    const isSame = orProofFailed('following the chain', () => equalBytes(alh(header, sha256), chain.alh));
    if (isSame) return;
    throw new PipelineError('LEDGER_PROOF_FAILED', `transaction ${header.id.toString()} has two hashes`);
  }
  while (chain.id + 1n < header.id) {
    const missing = Number(header.id - chain.id) - 1;
    const txs = await client.txScan(chain.id + 1n, Math.min(pageSize, missing), 'none');
    if (txs.length === 0) throw missingTx(chain.id + 1n);
    for (const tx of txs) chain = follow(chain, tx.header);
  }
  trusted.remember(follow(chain, header));
};

const follow = (chain: ChainState, header: TxHeader): ChainState =>
  orProofFailed('following the chain', () => followHeader(chain, header, sha256));

const otherHeader = (id: bigint) =>
  new PipelineError('LEDGER_PROOF_FAILED', `transaction ${id.toString()} has another header than was acknowledged`);

const missingTx = (id: bigint) =>
  new PipelineError('LEDGER_PROOF_FAILED', `transaction ${id.toString()} is missing below one that was acknowledged`);
