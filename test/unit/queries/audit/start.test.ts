import { beforeAll, describe, expect, test } from '@jest/globals';
import { startAt } from '../../../../src/queries/audit/start.ts';
import { audit, type AuditReport } from '../../../../src/queries/audit.ts';
import { valueSha256 } from '../../../../src/schemas/record-hash.ts';
import type { LedgerClient } from '../../../../src/sinks/immudb/client.ts';
import type { Outcome } from '../../../../src/sinks/sink.ts';
import {
  clientOf,
  memoryWriter,
  newMemoryLedger,
  readerOf,
  txsOf,
  type MemoryLedger,
} from '../../../support/memory-ledger.ts';
import { recordOf, spanOf, storedAt } from '../../../support/sink-ledger.ts';

// An audit that begins behind a checkpoint at transaction 4 of a ledger of 7.

let ledger: MemoryLedger;
const covers = [
  { log: 1, partition: 0, next: 2n },
  { log: 1, partition: 1, next: 1n },
];

const again = (of: Outcome & { kind: 'stored' }, partition: number, offset: bigint): Outcome => ({
  ...{ kind: 'duplicate', sha256: valueSha256(of.record.value), eventId: of.facts.eventId },
  record: recordOf(partition, offset, of.record.value),
});

beforeAll(async () => {
  ledger = newMemoryLedger();
  const write = memoryWriter(ledger);
  const early = storedAt(0, 0n);
  const late = storedAt(0, 2n);
  await write([spanOf(0, 0n, [early, storedAt(0, 1n)])]);
  await write([spanOf(1, 0n, [storedAt(1, 0n)])]);
  await write([spanOf(0, 2n, [late, again(early, 0, 3n)])]);
  await write([spanOf(1, 1n, [again(late, 1, 1n)])]);
  await write([
    spanOf(0, 4n, [], [{ from: 4n, to: 6n, reason: 'aborted' }], {
      offset: 3n,
      timestamp: 1n,
      sha256: 'ab'.repeat(32),
    }),
  ]);
});

const clientFor = (contents = ledger.contents) => clientOf(txsOf(contents)) as LedgerClient;
const hashAt = (id: number) => txsOf(ledger.contents)[id - 1]?.alh ?? new Uint8Array();
const audited = async (client: LedgerClient, covered = covers, options = {}): Promise<AuditReport> => {
  const start = await startAt(client, { tx: { id: 4n, alh: hashAt(4) }, covers: covered });
  const readers = { source: () => readerOf(ledger.records), deadLetters: () => readerOf([]) };
  return audit(client, { start, readers, ...options });
};
const found = ({ deviations }: AuditReport) =>
  deviations.listed.map(({ kind, tx, what }) => `${kind} ${String(tx)}: ${what}`);

describe('behind a checkpoint', () => {
  test('only what follows is read, and it goes on from what the checkpoint covers', async () => {
    // The last of the gap's marks states another last record than the mark before, which is known by then.
    const report = await audited(clientFor());
    expect(found(report)).toEqual(['coverage 7: last is not that of the mark before']);
    expect(report).toMatchObject({ transactions: { held: 3, of: 3 }, events: { held: 1, of: 1 }, end: { id: 7n } });
    expect(report.kafka.originals).toMatchObject({ held: 5n, of: 5n });
  });

  test('coverage that does not go on from there is named', async () => {
    const [first, second] = covers;
    const report = await audited(clientFor(), [{ ...first!, next: 1n }, second!]);
    expect(found(report)).toContainEqual('coverage 5: it begins at 2, not 1');
  });

  test('what is trusted of the part before is proven to lie under the end', async () => {
    const trusted = { id: 3n, alh: hashAt(3) };
    expect(found(await audited(clientFor(), covers, { genesis: hashAt(1), trusted })).length).toBe(1);
    const other = new Uint8Array(32);
    expect(found(await audited(clientFor(), covers, { genesis: other, trusted: { id: 3n, alh: other } }))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^trust 1: the ledger does not extend what is trusted: .*another hash/),
        expect.stringMatching(/^trust 3: the ledger does not extend what is trusted: .*another hash/),
      ]),
    );
  });

  test('a duplicate of an event that was never stored is named', async () => {
    const client = clientFor();
    const forgetful = { ...client, get: () => Promise.resolve(null) };
    expect(found(await audited(forgetful))).toContainEqual(
      'duplicate 5: a duplicate of it is stated, but it is not stored by then',
    );
  });

  test('a ledger that is not the one that was signed is refused before anything', async () => {
    const client = clientFor([...ledger.contents.slice(0, 3), ledger.contents[4] ?? [], ...ledger.contents.slice(4)]);
    await expect(audited(client)).rejects.toMatchObject({ code: 'LEDGER_PROOF_FAILED' });
    await expect(audited(clientFor(ledger.contents.slice(0, 3)))).rejects.toMatchObject({ code: 'LEDGER_ROLLED_BACK' });
  });
});
