import { PipelineError } from '../../errors.ts';
import { equalBytes } from '../../proofs/bytes.ts';
import { followHeader, type ChainState } from '../../proofs/chain.ts';
import { alh, type TxHeader } from '../../proofs/header.ts';
import type { Ledger } from './ledger.ts';
import { orProofFailed } from './proof-source.ts';
import { sha256 } from './sha256.ts';

type FollowedLedger = Pick<Ledger, 'client' | 'trusted' | 'reads'>;

/** Headers asked for at once; other writers' transactions between two of ours are few. */
const pageSize = 500;

/**
 * Trusts a header of ours: it must continue the chain from what is trusted, over every transaction between, whoever
 * wrote it. Rejects with LEDGER_PROOF_FAILED when it does not.
 */
export const followTo = async (ledger: FollowedLedger, header: TxHeader): Promise<void> => {
  const { client, trusted } = ledger;
  const known: ChainState = trusted.current();
  if (header.id <= known.id) {
    await requireProven(ledger, header);
    return;
  }
  let chain = known;
  while (chain.id + 1n < header.id) {
    const missing = Number(header.id - chain.id) - 1;
    const txs = await client.txScan(chain.id + 1n, Math.min(pageSize, missing), 'none');
    if (txs.length === 0) throw missingTx(chain.id + 1n);
    for (const tx of txs) chain = follow(chain, tx.header);
  }
  chain = follow(chain, header);
  // Trust moved on while we read: what was proven then and what was followed here may be of two futures.
  if (trusted.current() === known) trusted.remember(chain);
  else await followTo(ledger, header);
};

/**
 * Trusts the chain up to where the ledger ends now, header by header from what is trusted, whoever wrote them. Rejects
 * with LEDGER_PROOF_FAILED at the first that does not follow; what was followed by then stays trusted.
 */
export const walk = async ({ client, trusted }: Pick<Ledger, 'client' | 'trusted'>): Promise<void> => {
  const { txId } = await client.currentState();
  while (trusted.current().id < txId) {
    let chain = trusted.current();
    const txs = await client.txScan(chain.id + 1n, pageSize, 'none');
    if (txs.length === 0) throw missingTx(chain.id + 1n);
    for (const tx of txs) chain = follow(chain, tx.header);
    trusted.remember(chain);
  }
};

/** A read went ahead of us. That a transaction of this id is under the trusted hash says nothing of this header yet. */
const requireProven = async (
  { trusted, reads }: Pick<Ledger, 'trusted' | 'reads'>,
  header: TxHeader,
): Promise<void> => {
  const own = orProofFailed('following the chain', () => alh(header, sha256));
  const { id, alh: known } = trusted.current();
  if (id === header.id && equalBytes(own, known)) return;
  const proven = await reads.verifiedTx(header.id);
  if (!equalBytes(own, alh(proven.header, sha256))) throw otherHeader(header.id);
};

const follow = (chain: ChainState, header: TxHeader): ChainState =>
  orProofFailed('following the chain', () => followHeader(chain, header, sha256));

const otherHeader = (id: bigint) =>
  new PipelineError('LEDGER_PROOF_FAILED', `transaction ${id.toString()} has another header than was acknowledged`);

const missingTx = (id: bigint) =>
  new PipelineError('LEDGER_PROOF_FAILED', `transaction ${id.toString()} is missing below one that was acknowledged`);
