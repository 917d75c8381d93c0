import { PipelineError } from '../../errors.ts';
import { chainAtTarget, emptyChain, type ChainState } from '../../proofs/chain.ts';
import type { Checkpoint } from '../../proofs/checkpoint.ts';
import { verifyDualProof } from '../../proofs/dual-proof.ts';
import type { LedgerClient } from '../../sinks/immudb/client.ts';
import { eventKey, logPrefix } from '../../sinks/immudb/format/keys.ts';
import { decodeLog, type LogEntry } from '../../sinks/immudb/format/log-value.ts';
import { parseKey } from '../../sinks/immudb/format/parse-key.ts';
import { orProofFailed } from '../../sinks/immudb/proof-source.ts';
import { sha256 } from '../../sinks/immudb/sha256.ts';
import { verifiedReads } from '../../sinks/immudb/verified-read.ts';
import type { Lane } from './coverage.ts';

/** What an audit takes for granted: all up to the transaction of `chain`. */
export type AuditStart = {
  readonly chain: ChainState;
  readonly lanes: readonly Lane[];
  readonly logs: ReadonlyMap<number, LogEntry>;
  /** Whether an event of this id was stored up to there, proven. */
  isStored(eventId: string): Promise<boolean>;
};

/** Nothing is taken for granted. */
export const fromGenesis: AuditStart = {
  chain: emptyChain(sha256),
  lanes: [],
  logs: new Map(),
  isStored: () => Promise.resolve(false),
};

const maxLogs = 9999;

/**
 * Begins behind a checkpoint, whose signature was verified. What of the ledger before it is still needed is proven to
 * lie under its hash. Rejects with LEDGER_PROOF_FAILED or LEDGER_ROLLED_BACK when the ledger is not what was signed.
 * Unlike an audit from the genesis it needs immudb's index, for logs and for events behind duplicates.
 */
export const startAt = async (
  client: LedgerClient,
  { tx, covers }: Pick<Checkpoint, 'tx' | 'covers'>,
): Promise<AuditStart> => {
  const doing = `proving the transaction ${tx.id.toString()} of the checkpoint`;
  const answer = await client.verifiableTxById(tx.id, tx.id, 'none');
  if (answer === null) throw new PipelineError('LEDGER_ROLLED_BACK', `${doing}: immudb does not know it`);
  const chain = orProofFailed(doing, () => {
    verifyDualProof({ proof: answer.dualProof, source: tx.id, target: tx.id, trusted: tx }, sha256);
    return chainAtTarget(answer.dualProof, sha256);
  });
  const reads = verifiedReads({ source: client, trusted: () => tx, advance: () => Promise.resolve() });
  const logs = new Map<number, LogEntry>();
  for (const entry of await client.scan({ prefix: Buffer.from(logPrefix), limit: maxLogs })) {
    const key = entry.key.toString();
    const parsed = parseKey(key);
    if (entry.tx > tx.id || parsed.kind !== 'log') continue;
    await reads.verifyEntry(entry);
    logs.set(parsed.log, decodeLog(key, entry.value));
  }
  return {
    chain,
    logs,
    lanes: covers.map(({ log, partition, next }) => ({
      ...{ log, partition, first: next, next, tx: 0n, last: null, isTorn: false, isJoined: true },
      ...{ stored: 0n, duplicates: 0n, dead: 0n, gaps: 0n },
    })),
    isStored: async (eventId) => {
      const entry = await client.get(Buffer.from(eventKey(eventId)));
      if (entry === null || entry.tx > tx.id) return false;
      await reads.verifyEntry(entry);
      return true;
    },
  };
};
