import { cp, rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { emptyChain, followHeader, type ChainState } from '../../src/proofs/chain.ts';
import { connect, createDatabase, someEntries, write } from '../support/written-ledger.ts';
import { proveExtends } from '../../src/sinks/immudb/prove-extends.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import { verifiedReads } from '../../src/sinks/immudb/verified-read.ts';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';

// Somebody puts an older copy of the data folder in place and writes on: the table of rollbacks and forks in
// docs/threat-model.md, on a real server.

const database = 'rollback';
let stack: Stack;
let trusted: ChainState = emptyChain(sha256);

const writeTo = async (from: number, to: number, flavour = 0): Promise<ChainState> => {
  const client = await connect(stack.immudb, database);
  try {
    let chain: ChainState = emptyChain(sha256);
    if (from > 1) {
      const headers = (await client.txScan(1n, from - 1, 'none')).map(({ header }) => header);
      for (const header of headers) chain = followHeader(chain, header, sha256);
    }
    for (let tx = from; tx <= to; tx++)
      chain = followHeader(chain, await write(client, someEntries(tx + flavour, 3)), sha256);
    return chain;
  } finally {
    await client.close();
  }
};

const proving = async () => {
  const client = await connect(stack.immudb, database);
  return proveExtends(client, trusted).finally(() => client.close());
};

/** Both ways to ask: does the state extend the trusted one, and is transaction 10 under it? */
const refusals = async () => {
  const client = await connect(stack.immudb, database);
  const reads = verifiedReads({ source: client, trusted: () => trusted, advance: () => Promise.resolve() });
  const results = await Promise.allSettled([proveExtends(client, trusted), reads.verifiedTx(10n)]);
  await client.close();
  return results.map((result) =>
    result.status === 'fulfilled' ? 'accepted' : (result.reason as { code?: string }).code,
  );
};

beforeAll(async () => {
  stack = await startNativeStack({ kafka: false });
  await createDatabase(stack.immudb, database);
}, 120_000);

afterAll(() => stack.stop());

test('an older copy, and whatever is written on it, is refused', async () => {
  const { server, dataDir } = stack.immudb;
  const copy = `${dataDir!}-copy`;
  const restore = async () => {
    await server.stop();
    await rm(dataDir!, { recursive: true });
    await cp(copy, dataDir!, { recursive: true });
    await server.start();
  };
  await writeTo(1, 12);
  await server.stop();
  await cp(dataDir!, copy, { recursive: true });
  await server.start();
  trusted = await writeTo(13, 20);
  await writeTo(21, 24);
  expect((await proving()).id).toBe(24n);

  await restore();
  expect(await refusals()).toEqual(['LEDGER_ROLLED_BACK', 'LEDGER_ROLLED_BACK']);
  await writeTo(13, 19, 1000);
  expect(await refusals()).toEqual(['LEDGER_ROLLED_BACK', 'LEDGER_ROLLED_BACK']);
  await writeTo(20, 20, 1000);
  expect(await refusals()).toEqual(['LEDGER_PROOF_FAILED', 'LEDGER_PROOF_FAILED']);
  await writeTo(21, 25, 1000);
  expect(await refusals()).toEqual(['LEDGER_PROOF_FAILED', 'LEDGER_PROOF_FAILED']);
  await rm(copy, { recursive: true });
}, 120_000);
