import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import {
  checkpointHash,
  formatCheckpoint,
  openCheckpoint,
  type Checkpoint,
} from '../../../../src/proofs/checkpoint.ts';
import { signNote } from '../../../../src/proofs/note.ts';
import { signedStateBytes } from '../../../../src/proofs/state-signature.ts';
import type { CheckpointPlace, Checkpoints } from '../../../../src/queries/audit/checkpoint-check.ts';
import { audit, type AuditReport } from '../../../../src/queries/audit.ts';
import type { LedgerClient } from '../../../../src/sinks/immudb/client.ts';
import { sha256 } from '../../../../src/sinks/immudb/sha256.ts';
import { pinnedStateKey } from '../../../../src/sinks/immudb/state-key.ts';
import type { TxHash } from '../../../../src/proofs/linking.ts';
import { clientOf, memoryLedgerId, memoryWriter, newMemoryLedger, txsOf } from '../../../support/memory-ledger.ts';
import { nodeCrypto, testSeed } from '../../../support/note-crypto.ts';
import type { ReferenceTx } from '../../../support/reference-ledger.ts';
import { spanOf, storedAt } from '../../../support/sink-ledger.ts';

const signer = nodeCrypto.signerOf(testSeed('audit.test'));
const stranger = nodeCrypto.signerOf(testSeed('audit.test', 77));

/** Six transactions: two of init, four of two partitions by turns. */
const ledger = async (): Promise<ReferenceTx[]> => {
  const made = newMemoryLedger();
  const write = memoryWriter(made);
  for (let turn = 0n; turn < 4n; turn += 1n) {
    const [partition, offset] = [Number(turn % 2n), turn / 2n];
    await write([spanOf(partition, offset, [storedAt(partition, offset)])]);
  }
  return txsOf(made.contents);
};

const covers = [
  [],
  [],
  [],
  [{ log: 1, partition: 0, next: 1n }],
  [
    { log: 1, partition: 0, next: 1n },
    { log: 1, partition: 1, next: 1n },
  ],
  [
    { log: 1, partition: 0, next: 2n },
    { log: 1, partition: 1, next: 1n },
  ],
];

/** Checkpoints at transactions 3, 4 and 5, each changed as told, the later ones following what was changed. */
const chainOf = (txs: readonly ReferenceTx[], changes: Readonly<Record<number, Partial<Checkpoint>>> = {}) => {
  const made: Checkpoint[] = [];
  for (const at of [3, 4, 5]) {
    const tx = txs[at - 1];
    const before = made.at(-1);
    if (tx === undefined) throw new Error('no such transaction');
    made.push({
      ...{ ledgerId: memoryLedgerId, tx: { id: BigInt(at), alh: tx.alh }, genesis: txs[0]?.alh ?? tx.alh },
      ...{ sequence: BigInt(made.length + 1), epoch: 1n, time: '2026-01-31T12:00:00.000Z', signedState: null },
      previous: before === undefined ? null : checkpointHash(formatCheckpoint(before), sha256),
      covers: covers[at] ?? [],
      ...changes[at],
    });
  }
  return made;
};
const signed = (checkpoint: Checkpoint, by = signer): Uint8Array =>
  Buffer.from(signNote(formatCheckpoint(checkpoint), [by]));

const placeOf = (name: string, notes: readonly Uint8Array[]): CheckpointPlace => ({
  name,
  // eslint-disable-next-line @typescript-eslint/require-await -- a place is read asynchronously
  oldestFirst: async function* () {
    for (const [at, note] of notes.entries()) yield { where: `${name}@${at}`, note };
  },
});
const audited = (txs: readonly ReferenceTx[], ...places: readonly (readonly Uint8Array[])[]): Promise<AuditReport> =>
  audit(clientOf(txs) as LedgerClient, {
    checkpoints: {
      open: (note) => openCheckpoint(note, [signer.key], nodeCrypto.verify),
      places: places.map((notes, at) => placeOf(`place${at}`, notes)),
    },
  });
const found = ({ deviations }: AuditReport) =>
  deviations.listed.map(({ kind, tx, key, what }) => `${kind} ${String(tx)} ${String(key)}: ${what}`);

test('checkpoints of the ledger hold, wherever they lie, and also when the oldest are gone', async () => {
  const txs = await ledger();
  const notes = chainOf(txs).map((one) => signed(one));
  const report = await audited(txs, notes, notes.slice(1));
  expect(found(report)).toEqual([]);
  // One that lies in two places counts once.
  expect(report.checkpoints).toEqual({ held: 3, of: 3 });
  expect((await audited(txs, notes.slice(1))).checkpoints).toEqual({ held: 2, of: 2 });
  expect(found(await audited(txs, notes.slice(2)))).toEqual([]);
  expect((await audit(clientOf(txs) as LedgerClient)).checkpoints).toBeNull();
});

const other = new Uint8Array(32).fill(7);
const otherId = '0198c2f4-7c1e-4abc-8def-0123456789ac';
describe('a checkpoint that is not true is named:', () => {
  test.each([
    [
      'another hash',
      { tx: { id: 4n, alh: other } },
      /^checkpoint 4 place0@1: it states another hash than the ledger has/,
    ],
    ['another genesis', { genesis: other }, /^checkpoint 4 place0@1: it states another genesis/],
    ['another ledger', { ledgerId: otherId }, /^checkpoint 4 place0@1: it is of another ledger/],
    [
      'more coverage',
      {
        covers: [
          { log: 1, partition: 0, next: 9n },
          { log: 1, partition: 1, next: 1n },
        ],
      },
      /its coverage is not that of the marks at its transaction: covers 0001\/00000 9/,
    ],
    [
      'less coverage',
      { covers: [{ log: 1, partition: 0, next: 1n }] },
      /its coverage is not that of the marks at its transaction: covers 0001\/00001 1/,
    ],
    ['a sequence left out', { sequence: 5n }, /^checkpoint 4 place0@1: checkpoint 5 does not follow 1/],
  ])('%s', async (_, change, deviation) => {
    const txs = await ledger();
    const report = await audited(
      txs,
      chainOf(txs, { 4: change }).map((one) => signed(one)),
    );
    expect(found(report)).toContainEqual(expect.stringMatching(deviation));
  });

  test('one that somebody else signed, and what is none at all', async () => {
    const txs = await ledger();
    const [first, ...others] = chainOf(txs);
    if (first === undefined) throw new Error('no checkpoint');
    const report = await audited(txs, [signed(first, stranger), Buffer.from('x'), ...others.map((one) => signed(one))]);
    expect(found(report)).toEqual([
      expect.stringMatching(/^checkpoint null place0@0: it is no checkpoint that is believed: the note is not signed/),
      expect.stringMatching(/^checkpoint null place0@1: it is no checkpoint that is believed: /),
    ]);
    expect(report.checkpoints).toEqual({ held: 2, of: 2 });
  });
});

test('two checkpoints with one before them are reported, in one place or in two', async () => {
  const txs = await ledger();
  const [first, second, third] = chainOf(txs);
  if (!first || !second || !third) throw new Error('no checkpoints');
  const notes = [first, second, third].map((one) => signed(one));
  const fork = signed({ ...third, epoch: 2n });
  const due = 'checkpoint 5 null: another checkpoint than that of transaction 5 names the same one before it';
  expect(found(await audited(txs, [...notes, fork]))).toEqual([due]);
  expect(found(await audited(txs, notes, [...notes.slice(0, 2), fork]))).toEqual([due]);
});

test('one that is missing between two is reported, unless it lies elsewhere', async () => {
  const txs = await ledger();
  const [first, second, third] = chainOf(txs).map((one) => signed(one)) as [Uint8Array, Uint8Array, Uint8Array];
  expect(found(await audited(txs, [first, third]))).toEqual(['checkpoint 5 null: the checkpoint before it is nowhere']);
  expect(found(await audited(txs, [first, third], [second]))).toEqual([]);
});

test('a ledger that ends before a checkpoint was rolled back; one rewritten in place is not what was signed', async () => {
  const txs = await ledger();
  const notes = chainOf(txs).map((one) => signed(one));
  expect(found(await audited(txs.slice(0, 4), notes))).toEqual([
    'checkpoint 5 place0@2: it states transaction 5, the ledger ends at 4: it was rolled back',
  ]);
  const again = await ledger();
  expect(found(await audited([...txs.slice(0, 3), ...again.slice(3)], notes))).toContainEqual(
    expect.stringMatching(/^checkpoint 4 place0@1: it states another hash than the ledger has/),
  );
});

describe('what immudb signed of its state', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const verify = pinnedStateKey(publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const stateOf = (tx: TxHash, database = 'memory') => ({
    database,
    signature: sign('sha256', signedStateBytes(database, tx), privateKey),
  });
  const auditedWith = async (signedState: Checkpoints['signedState'], changes: (tx: TxHash) => Partial<Checkpoint>) => {
    const txs = await ledger();
    const tx = { id: 4n, alh: txs[3]?.alh ?? other };
    const notes = chainOf(txs, { 4: changes(tx) }).map((one) => signed(one));
    return await audit(clientOf(txs) as LedgerClient, {
      checkpoints: {
        open: (note) => openCheckpoint(note, [signer.key], nodeCrypto.verify),
        places: [placeOf('place0', notes)],
        ...(signedState && { signedState }),
      },
    });
  };

  test.each<[string, (tx: TxHash) => Partial<Checkpoint>, readonly unknown[]]>([
    ['is held where it is right', (tx) => ({ signedState: stateOf(tx) }), []],
    ['need not be there', () => ({}), []],
    [
      'is named where it is of another hash',
      () => ({ signedState: stateOf({ id: 4n, alh: other }) }),
      [expect.stringMatching(/^checkpoint 4 place0@1: what immudb signed is not this state: .*pinned key/)],
    ],
    [
      'is named where it is of another transaction',
      ({ alh }) => ({ signedState: stateOf({ id: 5n, alh }) }),
      [expect.stringMatching(/^checkpoint 4 place0@1: what immudb signed is not this state: /)],
    ],
    [
      'is named where it is of another database',
      (tx) => ({ signedState: stateOf(tx, 'elsewhere') }),
      [expect.stringMatching(/^checkpoint 4 place0@1: what immudb signed is the state of another database: elsewhere/)],
    ],
  ])('%s', async (_, changes, due) => {
    const report = await auditedWith({ database: 'memory', verify }, changes);
    expect(found(report)).toEqual(due);
    expect(report.checkpoints).toEqual({ held: 3 - due.length, of: 3 });
    // Without a key of immudb's, nobody can tell.
    expect(found(await auditedWith(undefined, changes))).toEqual([]);
  });
});
