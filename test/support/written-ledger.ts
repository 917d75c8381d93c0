import { openLedgerAdmin } from '../../src/sinks/immudb/admin.ts';
import { headerOf } from '../../src/sinks/immudb/answers.ts';
import { openLedgerClient, type LedgerClient } from '../../src/sinks/immudb/client.ts';
import { passwordFromFile } from '../../src/sinks/immudb/credentials.ts';
import { deleteKeysRequest, setRequest, txHeader } from '../../src/sinks/immudb/proto/messages.ts';
import { openSession } from '../../src/sinks/immudb/session.ts';
import type { Entry } from '../../src/proofs/entry.ts';
import type { TxHeader } from '../../src/proofs/header.ts';
import type { Stack } from '../../stack/stack.ts';
import { ledgerOf, type ReferenceLedger, type ReferenceTx } from './reference-ledger.ts';
import { rootOf, sha } from './reference-tree.ts';
import { digestOf, innerOf, int } from './reference-ledger.ts';

// A ledger on a real server, and what the reference makes of the same data.

type Connection = Pick<Stack['immudb'], 'host' | 'port' | 'username' | 'passwordFile'>;

const optionsOf = ({ host, port, username, passwordFile }: Connection, database: string) => ({
  host,
  port,
  username,
  password: passwordFromFile(passwordFile),
  database,
});

export const createDatabase = async (server: Connection, name: string): Promise<void> => {
  const admin = await openLedgerAdmin(optionsOf(server, 'defaultdb'));
  await admin.createDatabase(name, { syncFrequencyMs: 1 }).finally(() => admin.close());
};

export const connect = (server: Connection, database: string): Promise<LedgerClient> =>
  openLedgerClient(optionsOf(server, database));

/** Transaction `tx` of the given number of entries: keys and values of many lengths, and some metadata. */
export const someEntries = (tx: number, count: number): Entry[] =>
  Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(`event/${tx}/${i}/${'k'.repeat((i * 37 + tx) % 200)}`),
    value: Buffer.alloc((i * 61 + tx * 7) % 900, `${tx}.${i} `),
    metadata: i % 5 === 3 ? { nonIndexable: true } : i % 7 === 5 ? { expiresAt: 4_102_444_800n } : null,
  }));

export const write = (client: LedgerClient, entries: readonly Entry[]): Promise<TxHeader> =>
  client.set(
    setRequest.encode({
      noWait: true,
      entries: entries.map(({ key, value, metadata }) => ({ key, value, metadata: metadataOnWire(metadata) })),
    }),
  );

const metadataOnWire = (metadata: Entry['metadata']) => {
  if (metadata === null) return null;
  const { expiresAt, ...flags } = metadata;
  return { ...flags, expiration: expiresAt === undefined ? null : { expiresAt } };
};

/** Deletes a key as immudb does it: by an entry without a value. The client of this project cannot. */
export const deleteKey = async (server: Connection, database: string, key: Uint8Array): Promise<TxHeader> => {
  const session = await openSession(optionsOf(server, database));
  const path = '/immudb.schema.ImmuService/Delete';
  const decode = (bytes: Buffer) => headerOf(txHeader.decode(bytes));
  const encode = (request: { keys: Uint8Array[]; noWait: boolean }) => deleteKeysRequest.encode(request);
  return session
    .call({ name: 'Delete', path, encode, decode }, { keys: [key], noWait: true })
    .finally(() => session.close());
};

/** What the reference says of transactions with these contents and headers; only the headers' times are the server's. */
export const referenceOf = (written: readonly { entries: readonly Entry[]; header: TxHeader }[]): ReferenceLedger => {
  const txs: ReferenceTx[] = [];
  for (const { entries, header } of written) {
    const digests = entries.map(digestOf);
    const alhs = txs.map(({ alh }) => alh);
    const expected: TxHeader = {
      ...header,
      id: BigInt(txs.length + 1),
      prevAlh: alhs.at(-1) ?? sha(),
      nentries: entries.length,
      eH: rootOf(digests),
      blTxId: BigInt(txs.length),
      blRoot: rootOf(alhs),
    };
    const inner = innerOf(expected);
    txs.push({ header: expected, inner, alh: sha(int(expected.id, 8), expected.prevAlh, inner), entries, digests });
  }
  return ledgerOf(txs);
};
