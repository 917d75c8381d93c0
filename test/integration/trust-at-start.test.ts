import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Checkpoint } from '../../src/proofs/checkpoint.ts';
import { alh } from '../../src/proofs/header.ts';
import { hexOfBytes } from '../../src/proofs/hex.ts';
import { coverageAt } from '../../src/sinks/immudb/coverage-at.ts';
import { decodeMark } from '../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../src/sinks/immudb/format/parse-key.ts';
import { openLedger, type Ledger, type Pins } from '../../src/sinks/immudb/ledger.ts';
import { sha256 } from '../../src/sinks/immudb/sha256.ts';
import { digest, someCheckpoint } from '../support/checkpoints.ts';
import { sharedStack } from '../support/shared-stack.ts';
import { makeSinkLedger, spanOf, storedAt, type OpenSink, type SinkLedger } from '../support/sink-ledger.ts';

let made: SinkLedger;
let folder: string;
let genesis: Uint8Array;
let ledgerId: string;
const opened: Ledger[] = [];
beforeAll(async () => {
  made = await makeSinkLedger((await sharedStack()).immudb);
  folder = await mkdtemp(join(tmpdir(), 'immutrail-trust-'));
  const { ledger, sink } = await made.openSink();
  ledgerId = ledger.format.ledgerId;
  genesis = Buffer.from(ledger.genesis, 'hex');
  await writeAll({ sink }, [[0], [1], [0, 1], [2], [0], [1, 2], [0, 1, 2]]);
}, 120_000);
afterAll(async () => {
  for (const ledger of opened) await ledger.trusted.close();
  await made.close();
  await rm(folder, { recursive: true });
});

/** One transaction for each list of partitions, with one event in each of them. */
const writeAll = async ({ sink }: Pick<OpenSink, 'sink'>, transactions: readonly (readonly number[])[]) => {
  const next = new Map([...(await sink.open([0, 1, 2]))].map(([partition, standing]) => [partition, standing]));
  for (const partitions of transactions) {
    const spans = partitions.map((partition) => {
      const first = next.get(partition)?.next ?? 0n;
      return spanOf(partition, first, [storedAt(partition, first)]);
    });
    const outcome = await sink.commit(await sink.compose({ spans }, () => Promise.resolve()));
    if (outcome.kind !== 'written') throw new Error(`not written but ${outcome.kind}`);
    for (const standing of outcome.standings) next.set(standing.partition, standing);
  }
};

/** What a reader of every transaction finds: the newest mark of each partition at `tx`. */
const coverageByHand = async (tx: bigint) => {
  const newest = new Map<string, { log: number; partition: number; next: bigint }>();
  for (const { header, entries } of await made.client.txScan(1n, 1000, 'raw')) {
    for (const { storedKey, storedValue } of header.id <= tx ? entries : []) {
      const key = storedKey.subarray(1).toString();
      const parsed = parseKey(key);
      if (parsed.kind !== 'mark') continue;
      const { next } = decodeMark(key, storedValue.subarray(1));
      newest.set(key, { log: parsed.log, partition: parsed.partition, next });
    }
  }
  return [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, covers]) => covers);
};

const headOf = async () => {
  const { txId, alh: hash } = await made.client.currentState();
  return { id: txId, alh: Uint8Array.from(hash) };
};

describe('coverage of a checkpoint', () => {
  test('is what a reader of every transaction finds, at each of them', async () => {
    const { ledger } = await made.openSink();
    const { id } = await headOf();
    for (let tx = 2n; tx <= id; tx += 1n)
      expect([tx, await coverageAt(ledger, tx)]).toEqual([tx, await coverageByHand(tx)]);
    expect(id).toBe(9n);
    expect(await coverageByHand(id)).toHaveLength(3);
  });

  test('is exact also while others write', async () => {
    const [writer, reader] = [await made.openSink(), await made.openSink()];
    const work = { isDone: false };
    const writing = writeAll(
      writer,
      Array.from({ length: 60 }, (_, i) => [i % 3, (i + 1) % 3].toSorted()),
    ).finally(() => (work.isDone = true));
    const seen: [bigint, unknown][] = [];
    while (!work.isDone) {
      const { id } = await reader.ledger.advance();
      seen.push([id, await coverageAt(reader.ledger, id)]);
    }
    await writing;
    expect(new Set(seen.map(([tx]) => tx)).size).toBeGreaterThan(3);
    for (const [tx, covers] of seen) expect([tx, covers]).toEqual([tx, await coverageByHand(tx)]);
  }, 60_000);
});

describe('without a trusted state', () => {
  let files = 0;
  const open = async (pins: Partial<Pins>) => {
    files += 1;
    const stateFile = join(folder, `state-${files}.json`);
    const ledger = await openLedger(made.client, { database: made.database, genesis: undefined, stateFile, ...pins });
    opened.push(ledger);
    return { ledger, stateFile };
  };
  const pinned = () => hexOfBytes(genesis);
  const checkpointAt = async (id: bigint, changes: Partial<Checkpoint> = {}): Promise<Checkpoint> => {
    const [tx] = await made.client.txScan(id, 1, 'none');
    if (tx === undefined) throw new Error('no such transaction');
    return { ...someCheckpoint, ledgerId, genesis, tx: { id, alh: alh(tx.header, sha256) }, ...changes };
  };
  const believed = (checkpoint: Checkpoint | null) => ({ newestCheckpoint: () => Promise.resolve(checkpoint) });

  test('it starts from the newest checkpoint, whether the genesis is pinned or not', async () => {
    const checkpoint = await checkpointAt(5n);
    const { ledger, stateFile } = await open(believed(checkpoint));
    expect(ledger.trustedBy).toBe('checkpoint');
    expect(ledger.trusted.current().id).toBe((await headOf()).id);
    await ledger.trusted.flush();
    expect(JSON.parse(await readFile(stateFile, 'utf8'))).toMatchObject({ ledger_id: ledgerId });
    expect((await open({ ...believed(checkpoint), genesis: pinned() })).ledger.trustedBy).toBe('checkpoint');
  });

  test('a checkpoint that the ledger does not extend refuses it', async () => {
    const head = await headOf();
    const [other, later, foreign] = [
      await checkpointAt(5n, { tx: { id: 5n, alh: digest(7) } }),
      await checkpointAt(5n, { tx: { id: head.id + 50n, alh: digest(7) } }),
      await checkpointAt(5n, { genesis: digest(7) }),
    ];
    await expect(open(believed(other))).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
    await expect(open(believed(later))).rejects.toMatchObject({ code: 'LEDGER_ROLLED_BACK' });
    await expect(open(believed(foreign))).rejects.toMatchObject({ code: 'GENESIS_MISMATCH' });
  });

  test('without one it walks from the pinned genesis, and knows the whole tree then', async () => {
    const { ledger } = await open({ ...believed(null), genesis: pinned() });
    const { id, frontier } = ledger.trusted.current();
    expect([ledger.trustedBy, id]).toEqual(['genesis', (await headOf()).id]);
    expect(frontier?.size).toBe(id);
    await expect(open({ genesis: 'ab'.repeat(32) })).rejects.toMatchObject({ code: 'GENESIS_MISMATCH' });
  });

  test('with neither it refuses, unless it is told to trust on first use', async () => {
    await expect(open({})).rejects.toMatchObject({ code: 'LEDGER_TRUST_MISSING' });
    await expect(open(believed(null))).rejects.toMatchObject({ code: 'LEDGER_TRUST_MISSING' });
    expect((await open({ trustOnFirstUse: true })).ledger.trustedBy).toBe('first use');
  });

  test('a state file goes before everything else', async () => {
    const { stateFile, ledger } = await open({ genesis: pinned() });
    await ledger.trusted.flush();
    const asked = { newestCheckpoint: () => Promise.reject(new Error('asked for a checkpoint')) };
    expect((await open({ ...asked, stateFile })).ledger.trustedBy).toBe('state file');
  });
});
