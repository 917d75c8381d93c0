import { expect, test } from '@jest/globals';
import { audit, type AuditOptions } from '../../../../src/queries/audit.ts';
import { valueSha256 } from '../../../../src/schemas/record-hash.ts';
import type { LedgerClient } from '../../../../src/sinks/immudb/client.ts';
import type { Outcome } from '../../../../src/sinks/sink.ts';
import { clientOf, memoryWriter, newMemoryLedger, readerOf, txsOf } from '../../../support/memory-ledger.ts';
import { recordOf, spanOf, storedAt } from '../../../support/sink-ledger.ts';

// Duplicates whose bytes are not those of the event that is stored.

type Stored = Outcome & { kind: 'stored' };

const again = (of: Stored, offset: bigint, value: Buffer): Outcome => ({
  ...{ kind: 'duplicate', sha256: valueSha256(value), eventId: of.facts.eventId },
  record: recordOf(0, offset, value),
});

/** One event, and in two later transactions what is stated as duplicates of it. */
const audited = async (values: readonly ((json: Buffer) => Buffer)[], starts = new Map<number, bigint>()) => {
  const ledger = newMemoryLedger();
  const write = memoryWriter(ledger);
  const first = storedAt(0, 0n);
  await write([spanOf(0, 0n, [first])]);
  for (const [i, valueOf] of values.entries()) {
    const offset = BigInt(i + 1);
    await write([spanOf(0, offset, [again(first, offset, valueOf(first.json))])]);
  }
  const readers = { source: () => readerOf(ledger.records, starts), deadLetters: () => null };
  const ask = async (options: AuditOptions = {}) => {
    const { reworded, deviations } = await audit(clientOf(txsOf(ledger.contents)) as LedgerClient, options);
    return { reworded, found: deviations.listed.map(({ kind, tx, what }) => `${kind} ${String(tx)}: ${what}`) };
  };
  return { withKafka: () => ask({ readers }), without: () => ask() };
};

const fieldsOf = (json: Buffer) => JSON.parse(json.toString()) as Record<string, unknown>;
const sameInOtherWords = (json: Buffer) =>
  Buffer.from(JSON.stringify(Object.fromEntries(Object.entries(fieldsOf(json)).toReversed()), null, 1));
const otherContent = (json: Buffer) => Buffer.from(JSON.stringify({ ...fieldsOf(json), event_outcome: 'failure' }));

test('of the same content hold; equal bytes are not compared again', async () => {
  const { withKafka } = await audited([sameInOtherWords, (json) => json, sameInOtherWords]);
  expect(await withKafka()).toEqual({ reworded: { held: 2, of: 2, gone: 0 }, found: [] });
});

test('of another content are named: the pipeline would have said that it is a conflict', async () => {
  const { withKafka } = await audited([sameInOtherWords, otherContent]);
  expect(await withKafka()).toEqual({
    reworded: { held: 1, of: 2, gone: 0 },
    found: ['duplicate 5: partition 0 offset 2 is stated as a duplicate of it, but has another content'],
  });
});

test('that Kafka has no more, or that need a registry, are counted as such', async () => {
  const { withKafka, without } = await audited([otherContent], new Map([[0, 2n]]));
  expect((await withKafka()).reworded).toEqual({ held: 0, of: 0, gone: 1 });
  expect(await without()).toEqual({ reworded: { held: 0, of: 0, gone: 1 }, found: [] });
  const framed = await audited([(json) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), json])]);
  expect(await framed.withKafka()).toEqual({ reworded: { held: 0, of: 0, gone: 1 }, found: [] });
});
