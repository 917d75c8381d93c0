import type { LedgerState, VerifiableTx } from '../../src/sinks/immudb/answers.ts';
import { LedgerError } from '../../src/sinks/immudb/errors.ts';
import type { ProofSource } from '../../src/sinks/immudb/proof-source.ts';
import type { ReferenceLedger, ReferenceTx } from '../support/reference-ledger.ts';
import { sha } from '../support/reference-tree.ts';

/** Answers as an honest immudb that holds `ledger()` would, or as `lie` changes that. Counts its calls. */
export const referenceSource = (
  ledger: () => ReferenceLedger,
  lie: (answer: VerifiableTx) => VerifiableTx = (it) => it,
) => {
  const calls = { currentState: 0, verifiableTxById: 0 };
  const source: ProofSource = {
    currentState: () => {
      calls.currentState++;
      return Promise.resolve(stateOf(ledger().txs));
    },
    verifiableTxById: (id, since) => {
      calls.verifiableTxById++;
      const { txs } = ledger();
      const size = BigInt(txs.length);
      if (since > size)
        return Promise.reject(new LedgerError('LEDGER_ROLLED_BACK', 'illegal state', { outcome: 'not-written' }));
      if (id > size || id < 1n) return Promise.resolve(null);
      return Promise.resolve(lie(answerOf(ledger(), Number(id), Number(since))));
    },
  };
  return { source, calls };
};

const stateOf = (txs: readonly ReferenceTx[]): LedgerState => ({
  database: 'ledger',
  txId: BigInt(txs.length),
  alh: Buffer.from(txs.at(-1)?.alh ?? new Uint8Array(32)),
  signature: null,
});

const answerOf = (ledger: ReferenceLedger, id: number, since: number): VerifiableTx => ({
  tx: { header: ledger.tx(id).header, entries: ledger.tx(id).entries.map(txEntryOf) },
  dualProof: ledger.dualProof(Math.min(id, since), Math.max(id, since)),
  signature: null,
});

const txEntryOf = ({ key, value, metadata }: ReferenceTx['entries'][number]) => ({
  storedKey: Buffer.concat([Uint8Array.of(0), key]),
  hValue: Buffer.from(sha(Uint8Array.of(0), value)),
  metadata,
  storedValue: Buffer.alloc(0),
});
