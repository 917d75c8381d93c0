/**
 * Records what a real immudb answers, as the fixture of test/unit/proofs/recorded.test.ts:
 *
 *   node test/support/record-proofs.ts
 *
 * Never record to make a failing test pass: an old recording holds for as long as ledgers of its time exist.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';
import type { LedgerClient } from '../../src/sinks/immudb/client.ts';
import { plain } from './plain.ts';
import type { RecordedProofs } from './recorded-proofs.ts';
import { connect, createDatabase, someEntries, write } from './written-ledger.ts';

const database = 'recorded';
const sizes = [1, 2, 7, 8, 1, 13, 1, 1, 3, 1, 1];
const pairs = [
  [1, 1],
  [1, 2],
  [2, 2],
  [3, 4],
  [1, 8],
  [4, 11],
  [7, 7],
] as const;

const record = async ({ immudb }: Stack, client: LedgerClient): Promise<RecordedProofs> => {
  const txs: RecordedProofs['txs'] = [];
  for (const [i, size] of sizes.entries()) {
    const entries = someEntries(i + 1, size);
    txs.push({ entries, header: await write(client, entries) });
  }
  const dualProofs: RecordedProofs['dualProofs'] = [];
  for (const [s, t] of pairs) dualProofs.push((await client.verifiableTxById(BigInt(s), BigInt(t), 'none'))!.dualProof);
  const { inclusion } = (await client.verifiableGet(txs[5]!.entries[4]!.key, 1n))!;
  const { txId, alh, signature } = await client.currentState();
  return {
    server: (await client.serverInfo()).version,
    txs,
    dualProofs,
    inclusion: { tx: 6n, entry: 4, path: inclusion.path },
    state: { database, id: txId, alh, signature: signature!.signature },
    publicKey: await readFile(immudb.signingPublicKeyFile!, 'utf8'),
  };
};

const stack = await startNativeStack({ kafka: false, immudb: { signingKey: true } });
try {
  await createDatabase(stack.immudb, database);
  const client = await connect(stack.immudb, database);
  const recorded = await record(stack, client).finally(() => client.close());
  const file = new URL('../fixtures/recorded-proofs.json', import.meta.url);
  await writeFile(file, `${JSON.stringify(plain(recorded), null, 1)}\n`);
} finally {
  await stack.stop();
}
