import { createHash } from 'node:crypto';
import { formatCheckpoint, type Checkpoint } from '../../src/proofs/checkpoint.ts';
import { signNote, type NoteSigner } from '../../src/proofs/note.ts';
import type { Receipt } from '../../src/proofs/receipt.ts';
import { someCheckpoint } from './checkpoints.ts';
import { referenceLedger, type ReferenceLedger } from './reference-ledger.ts';
import { pathOf } from './reference-tree.ts';

// Receipts made by hand from a reference ledger, apart from the code that makes them from a real one.

const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex');

const idOf = (n: number): string => `0198c2f4-7c1e-7abc-8def-${n.toString(16).padStart(12, '0')}`;

/** Key and value of the n-th event, from partition 0 of log 1. */
const eventEntry = (n: number) => {
  const event = `{"event_id":"${idOf(n)}","event_type":"test.happened","event_data":{"n":${n},"text":"ä,\\"event\\":"}}`;
  const source = {
    ...{ log: 1, partition: 0, offset: String(n), timestamp: '1767225600000', timestamp_type: 'create', key: null },
    ...{ headers: [], sha256: sha256Hex(event), record_sha256: sha256Hex(`record ${n}`), encoding: 'json' },
  };
  return { key: `event/${idOf(n)}`, value: `{"v":1,"source":${JSON.stringify(source)},"event":${event}}` };
};

/** A ledger whose transactions have these many events each, numbered through from 0, after a format transaction. */
export const eventLedger = (sizes: readonly number[]) => {
  let made = 0;
  const transactions = sizes.map((size) =>
    Array.from({ length: size }, () => {
      const { key, value } = eventEntry(made++);
      return { key: Buffer.from(key), value: Buffer.from(value), metadata: null };
    }),
  );
  const format = { key: Buffer.from('meta/format'), value: Buffer.from('{}'), metadata: null };
  return referenceLedger([[format], ...transactions]);
};

export const checkpointOf = (ledger: ReferenceLedger, tx: number, changes: Partial<Checkpoint> = {}): Checkpoint => ({
  ...someCheckpoint,
  tx: { id: BigInt(tx), alh: ledger.tx(tx).alh },
  genesis: ledger.tx(1).alh,
  covers: [{ log: 1, partition: 0, next: 1000n }],
  ...changes,
});

/** The receipt of entry `leaf` of transaction `tx`, under a checkpoint at transaction `at`. */
export const receiptByHand = (
  ledger: ReferenceLedger,
  { tx, leaf, at }: { readonly tx: number; readonly leaf: number; readonly at: number },
  signer: NoteSigner,
  checkpoint = checkpointOf(ledger, at),
): Receipt => {
  const { header, entries, digests } = ledger.tx(tx);
  const entry = entries[leaf];
  const end = ledger.tx(at).header;
  const alhs = ledger.txs.slice(0, Number(end.blTxId)).map(({ alh }) => alh);
  return {
    key: Buffer.from(entry?.key ?? []).toString(),
    value: Buffer.from(entry?.value ?? []).toString(),
    leaf,
    path: pathOf(leaf, digests),
    header,
    checkpoint: signNote(formatCheckpoint(checkpoint), [signer]),
    link: tx === at ? null : { header: end, path: pathOf(tx - 1, alhs) },
    keys: [signer.key],
  };
};
