import { readFileSync } from 'node:fs';
import type { DualProof } from '../../src/proofs/dual-proof.ts';
import type { Entry } from '../../src/proofs/entry.ts';
import type { TxHeader } from '../../src/proofs/header.ts';
import { revived } from './plain.ts';

/** What a real immudb answered, recorded once by record-proofs.ts. */
export type RecordedProofs = {
  readonly server: string;
  readonly txs: { readonly entries: readonly Entry[]; readonly header: TxHeader }[];
  readonly dualProofs: DualProof[];
  /** Of entry `entry` in transaction `tx`. */
  readonly inclusion: { readonly tx: bigint; readonly entry: number; readonly path: readonly Uint8Array[] };
  readonly state: {
    readonly database: string;
    readonly id: bigint;
    readonly alh: Uint8Array;
    readonly signature: Uint8Array;
  };
  /** PEM. */
  readonly publicKey: string;
};

export const recordedProofs = (): RecordedProofs => {
  const file = new URL('../fixtures/recorded-proofs.json', import.meta.url);
  return revived(JSON.parse(readFileSync(file, 'utf8'))) as RecordedProofs;
};
