import { base64OfBytes, bytesOfBase64 } from './base64.ts';
import type { TxHeader, TxMetadata } from './header.ts';
import type { Members } from './json-members.ts';
import { requireProof } from './proof-error.ts';

/** A header as receipts have it: numbers of 64 bits in decimal digits, bytes in base64. */
export type HeaderJson = {
  readonly id: string;
  readonly prev_alh: string;
  readonly ts: string;
  readonly nentries: number;
  readonly eh: string;
  readonly bl_tx_id: string;
  readonly bl_root: string;
  readonly version: number;
  readonly truncated_tx_id?: string;
  readonly extra?: string;
};

const names = ['id', 'prev_alh', 'ts', 'nentries', 'eh', 'bl_tx_id', 'bl_root', 'version'];
const optional = ['truncated_tx_id', 'extra'];

export const headerToJson = (header: TxHeader): HeaderJson => ({
  id: header.id.toString(),
  prev_alh: base64OfBytes(header.prevAlh),
  ts: header.ts.toString(),
  nentries: header.nentries,
  eh: base64OfBytes(header.eH),
  bl_tx_id: header.blTxId.toString(),
  bl_root: base64OfBytes(header.blRoot),
  version: header.version,
  ...(header.metadata?.truncatedTxId === undefined
    ? {}
    : { truncated_tx_id: header.metadata.truncatedTxId.toString() }),
  ...(header.metadata?.extra === undefined ? {} : { extra: base64OfBytes(header.metadata.extra) }),
});

/** Throws ProofError (`malformed`) for what `headerToJson` does not make. What it says is checked by `alh`. */
export const headerOfMember = (parent: Members, name: string): TxHeader => {
  const json = parent.object(name, names, optional);
  const bytes = (member: string) => bytesOfBase64(json.text(member), `${member} of ${name}`);
  return {
    id: integer(json.text('id')),
    prevAlh: bytes('prev_alh'),
    ts: integer(json.text('ts')),
    nentries: json.whole('nentries'),
    eH: bytes('eh'),
    blTxId: integer(json.text('bl_tx_id')),
    blRoot: bytes('bl_root'),
    version: json.whole('version'),
    metadata: metadataOf(json),
  };
};

const metadataOf = (json: Members): TxMetadata | null => {
  const truncatedTxId = json.has('truncated_tx_id') ? integer(json.text('truncated_tx_id')) : undefined;
  const extra = json.has('extra') ? bytesOfBase64(json.text('extra'), 'extra') : undefined;
  // Neither adds to the hash when it says nothing: it must not stand there then.
  requireProof(truncatedTxId !== 0n && extra?.length !== 0, 'malformed', 'metadata of a header that says nothing');
  if (truncatedTxId === undefined && extra === undefined) return null;
  return { ...(truncatedTxId === undefined ? {} : { truncatedTxId }), ...(extra === undefined ? {} : { extra }) };
};

const integer = (text: string): bigint => {
  requireProof(/^(0|-?[1-9][0-9]{0,19})$/.test(text), 'malformed', 'a number of a header is not one');
  return BigInt(text);
};
