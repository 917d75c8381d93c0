import { describe, expect, test } from '@jest/globals';
import { audit, type AuditOptions, type AuditReport } from '../../../src/queries/audit.ts';
import type { LedgerClient } from '../../../src/sinks/immudb/client.ts';
import { decodeDead, encodeDead, type DeadState } from '../../../src/sinks/immudb/format/dead-value.ts';
import { eventKey, markKey } from '../../../src/sinks/immudb/format/keys.ts';
import { decodeMark, encodeMark, type Mark } from '../../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../../src/sinks/immudb/format/parse-key.ts';
import type { Entry } from '../../../src/proofs/entry.ts';
import { recordSha256, valueSha256 } from '../../../src/schemas/record-hash.ts';
import type { Outcome } from '../../../src/sinks/sink.ts';
import {
  clientOf,
  memoryWriter,
  newMemoryLedger,
  readerOf,
  txsOf,
  type MemoryLedger,
} from '../../support/memory-ledger.ts';
import { recordOf, spanOf, storedAt } from '../../support/sink-ledger.ts';

const dead = (partition: number, offset: bigint, dlqOffset: bigint): Outcome & { kind: 'dead' } => {
  const record = recordOf(partition, offset, Buffer.from(`{ ${offset.toString()}`));
  return {
    ...{ kind: 'dead', record, sha256: valueSha256(record.value), code: 'JSON_INVALID', message: 'no JSON' },
    dlq: { partition, offset: dlqOffset },
  };
};
const again = (of: Outcome & { kind: 'stored' }, partition: number, offset: bigint): Outcome => ({
  ...{ kind: 'duplicate', sha256: valueSha256(of.record.value), eventId: of.facts.eventId },
  record: recordOf(partition, offset, of.record.value),
});

/** Three transactions of two partitions after init, with every kind of outcome. */
const honest = async (): Promise<MemoryLedger> => {
  const ledger = newMemoryLedger();
  const write = memoryWriter(ledger);
  const first = storedAt(0, 0n, { correlation_id: 'rr-1' });
  const second = storedAt(0, 1n, { correlation_id: 'rr-1', actor_id: '' });
  await write([
    spanOf(0, 0n, [first, second, dead(0, 2n, 7n)]),
    spanOf(1, 5n, [storedAt(1, 5n, { correlation_id: 'rr-1' })]),
  ]);
  const gap = { from: 4n, to: 6n, reason: 'aborted' as const };
  const far = storedAt(0, 6n, { event_timestamp: '2026-01-01T00:00:00Z' });
  await write([spanOf(0, 3n, [again(first, 0, 3n), far], [gap])]);
  await write([spanOf(1, 6n, [storedAt(1, 6n), storedAt(1, 7n)]), spanOf(0, 7n, [again(far, 0, 7n)])]);
  return ledger;
};

const readersOf = ({ records, letters }: MemoryLedger, starts: ReadonlyMap<number, bigint> = new Map()) => {
  const [source, copies] = [readerOf(records, starts), readerOf(letters)];
  return { source: () => source, deadLetters: () => copies };
};

const audited = (ledger: MemoryLedger, options: AuditOptions = {}): Promise<AuditReport> =>
  audit(clientOf(txsOf(ledger.contents)) as LedgerClient, { readers: readersOf(ledger), ...options });

const found = ({ deviations }: AuditReport) =>
  deviations.listed.map(({ kind, tx, what }) => `${kind} ${String(tx)}: ${what}`);

const entry = (key: string, value: Buffer): Entry => ({ key: Buffer.from(key), value, metadata: null });
const keyOf = ({ key }: Entry): string => Buffer.from(key).toString();
const change = (
  ledger: MemoryLedger,
  tx: number,
  prefix: string,
  to: (entry: Entry, at: number) => Entry | null,
): void => {
  const entries = ledger.contents[tx - 1] ?? [];
  const at = entries.findIndex((one) => keyOf(one).startsWith(prefix));
  const one = entries[at];
  if (one === undefined) throw new Error(`transaction ${tx} has no ${prefix}`);
  const made = to(one, at);
  entries.splice(at, 1, ...(made === null ? [] : [made]));
};
const text =
  (from: string | RegExp, to: string) =>
  (one: Entry): Entry => {
    const value = Buffer.from(Buffer.from(one.value).toString().replace(from, to));
    if (value.equals(one.value)) throw new Error(`nothing to replace in ${keyOf(one)}`);
    return { ...one, value };
  };
const mark =
  (fields: (mark: Mark) => Partial<Mark>) =>
  (one: Entry): Entry => {
    const before = decodeMark(keyOf(one), one.value);
    return { ...one, value: encodeMark({ ...before, ...fields(before) }) };
  };
const letter =
  (fields: Partial<DeadState>) =>
  (one: Entry): Entry => ({
    ...one,
    value: encodeDead({ ...decodeDead(keyOf(one), one.value), ...fields } as DeadState),
  });
/** An event whose data is another, with all its own hashes made anew. */
const forgedEvent = (one: Entry): Entry => {
  const value = Buffer.from(one.value).toString();
  const at = value.indexOf(',"event":') + ',"event":'.length;
  const json = Buffer.from(value.slice(at, -1).replace('xxx', 'yyy'));
  const { source } = JSON.parse(value) as { source: { partition: number; offset: string } };
  const record = recordOf(source.partition, BigInt(source.offset), json);
  const head = value
    .slice(0, at)
    .replace(/"sha256":"[0-9a-f]+"/, `"sha256":"${valueSha256(json)}"`)
    .replace(/"record_sha256":"[0-9a-f]+"/, `"record_sha256":"${recordSha256(record)}"`);
  return { ...one, value: Buffer.concat([Buffer.from(head), json, Buffer.from('}')]) };
};

test('an honest ledger holds: everything is counted, nothing deviates', async () => {
  const ledger = await honest();
  const seen: string[] = [];
  const report = await audited(ledger, { onEvent: (id) => seen.push(id) });
  expect(found(report)).toEqual([]);
  expect(report).toMatchObject({
    transactions: { held: 5, of: 5 },
    events: { held: 6, of: 6 },
    offsets: { held: 11, of: 11 },
    kafka: { originals: { held: 11n, of: 11n, gone: 0n }, deadLetters: { held: 1, of: 1, gone: 0 } },
    stalledIndex: null,
  });
  expect(report.postings.held).toBe(report.postings.of);
  expect(report.postings.of).toBeGreaterThan(10);
  expect(new Set(seen).size).toBe(6);
  expect(report.partitions).toMatchObject([
    { log: 1, partition: 0, first: 0n, next: 8n, stored: 3n, duplicates: 2n, dead: 1n, gaps: 2n },
    { log: 1, partition: 1, first: 5n, next: 8n, stored: 3n },
  ]);
});

// Each is what somebody with write access, or a bug, could make: consistent hashes over contents that are not true.
const forgeries: readonly [what: string, forge: (ledger: MemoryLedger) => void, deviation: RegExp][] = [
  ['an event left out', (l) => change(l, 3, 'event/', () => null), /^coverage 3: it states 2 stored, there are 1/],
  [
    'an event under another id',
    (l) =>
      change(l, 3, 'event/', (one) => ({ ...one, key: Buffer.from(eventKey('00000000-0000-4000-8000-000000000001')) })),
    /^event 3: the event has id/,
  ],
  [
    'an event with another byte',
    (l) => change(l, 3, 'event/', text('xxx', 'yyy')),
    /^event 3: its bytes do not have the hash/,
  ],
  [
    'an event with another byte and its own hashes',
    (l) => change(l, 3, 'event/', forgedEvent),
    /^original 3: partition 0 offset 0: the record that Kafka has is another one/,
  ],
  [
    'a stated hash of an event',
    (l) => change(l, 3, 'event/', text(/"sha256":"../, '"sha256":"00')),
    /^event 3: its bytes do not have the hash/,
  ],
  [
    'the key of a record',
    (l) => change(l, 3, 'event/', text('"key":"key"', '"key":"kex"')),
    /^original 3: .*key or headers/,
  ],
  [
    'the record hash',
    (l) => change(l, 3, 'event/', text(/"record_sha256":"../, '"record_sha256":"00')),
    /^original 3: .*key or headers/,
  ],
  [
    'the time of a record',
    (l) => change(l, 3, 'event/', text(/"timestamp":"17/, '"timestamp":"16')),
    /^original 3: .*another time/,
  ],
  [
    'the offset of an event',
    (l) => change(l, 3, 'event/', text('"offset":"0"', '"offset":"9"')),
    /^coverage 3: offset 0 is not accounted for/,
  ],
  [
    'an event of another partition',
    (l) => change(l, 3, 'event/', text('"partition":0', '"partition":3')),
    /^coverage 3: events of 1\/3 without a mark/,
  ],
  [
    'an event that no pipeline would take',
    (l) => change(l, 3, 'event/', text('"event_outcome":"success"', '"event_outcome":"perfect"')),
    /^event 3: it is no event that is taken: OUTCOME_INVALID/,
  ],
  [
    'an event that another parser would read otherwise',
    (l) => change(l, 3, 'event/', text('"event":{', '"event":{"event_id":"0",')),
    /^event 3: it is no event that is taken: KEY_DUPLICATED/,
  ],
  [
    'a member that the format does not know',
    (l) => change(l, 3, 'event/', text('"encoding":"json"', '"encoding":"json","x":1')),
    /^format 3: source is not in the exact form/,
  ],

  ['a time posting left out', (l) => change(l, 3, 'time/', () => null), /^posting 3: it is in no posting of time$/],
  ['a corr posting left out', (l) => change(l, 3, 'corr/', () => null), /^posting 3: it is in no posting of corr$/],
  ['a type posting left out', (l) => change(l, 3, 'type/', () => null), /^posting 3: it is in no posting of type$/],
  ['an actor posting left out', (l) => change(l, 3, 'actor/', () => null), /^posting 3: it is in no posting of actor$/],
  [
    'a posting of another correlation',
    (l) => change(l, 3, 'corr/', (one) => ({ ...one, key: Buffer.from(keyOf(one).replace('rr-1', 'rr-2')) })),
    /^posting 3: .*a list that the event does not belong to/,
  ],
  [
    'a posting of a wider span',
    (l) => change(l, 3, 'time/', (one) => ({ ...one, key: Buffer.from(keyOf(one).replace(/^time\/\d/, 'time/9')) })),
    /^format 3: key time\/9/,
  ],
  [
    'a posting at another time',
    (l) =>
      change(l, 3, 'corr/', (one) => ({ ...one, key: Buffer.from(keyOf(one).replace(/\/0+1/, '/0000000000000001')) })),
    /^(posting|format) 3: /,
  ],
  [
    'a posting of another first record',
    (l) => change(l, 3, 'type/', (one) => ({ ...one, key: Buffer.from(keyOf(one).replace(/.$/, '9')) })),
    /^posting 3: its key is not that of its first row/,
  ],
  [
    'a row with another outcome',
    (l) => change(l, 3, 'time/', text('"success"', '"failure"')),
    /^posting 3: the row of event .* is not what the event says/,
  ],
  [
    'a row left out',
    (l) => change(l, 3, 'corr/', text(/,\["[^\]]+\]\]/, ']')),
    /^posting 3: it is in no posting of corr/,
  ],
  [
    'a row of an event elsewhere',
    (l) => change(l, 3, 'type/', text(/"[0-9a-f]{8}-/, '"00000000-')),
    /^posting 3: a row names an event that is not in this transaction/,
  ],
  [
    'white space in a posting',
    (l) => change(l, 3, 'type/', text('"v":1', '"v": 1')),
    /^posting 3: its value is not in the exact form/,
  ],
  [
    'a posting twice',
    (l) => {
      const [one] = (l.contents[2] ?? []).filter((each) => keyOf(each).startsWith('type/'));
      if (one)
        l.contents[2]?.push({
          ...one,
          key: Buffer.from(keyOf(one).replace('type/gateway.signal.received', 'type/gateway.signal.receivee')),
        });
    },
    /^posting 3: /,
  ],

  ['a mark left out', (l) => change(l, 4, 'mark/', () => null), /^coverage 4: events of 1\/0 without a mark/],
  [
    'a mark that counts one more',
    (l) =>
      change(
        l,
        3,
        'mark/0001/00000',
        mark((m) => ({ stored: 3, dead: m.dead.slice(1) })),
      ),
    /^coverage 3: it states 3 stored, there are 2/,
  ],
  [
    'a mark that begins earlier',
    (l) =>
      change(
        l,
        5,
        'mark/0001/00000',
        mark((m) => ({
          first: 6n,
          prev: { tx: 4n, next: 6n },
          gaps: [{ from: 6n, to: 7n, reason: 'absent' }],
          last: m.last,
        })),
      ),
    /^coverage 5: it begins at 6, not 7/,
  ],
  [
    'a mark after another one',
    (l) =>
      change(
        l,
        5,
        'mark/0001/00000',
        mark((m) => ({ prev: { tx: 3n, next: m.first } })),
      ),
    /^coverage 5: it names another mark before it: 3, not 4/,
  ],
  [
    'a mark with another last record',
    (l) =>
      change(
        l,
        5,
        'mark/0001/00001',
        mark((m) => ({ last: m.last && { ...m.last, sha256: '00'.repeat(32) } })),
      ),
    /^coverage 5: last is not its last record/,
  ],
  [
    'a gap in place of an event',
    (l) => {
      change(
        l,
        5,
        'mark/0001/00001',
        mark((m) => ({ stored: 1, gaps: [{ from: 7n, to: 8n, reason: 'aborted' }], last: m.last })),
      );
    },
    /^coverage 5: offset .* is not accounted for exactly once|^original 5: .*a gap is stated/,
  ],
  [
    'a duplicate of an event that was never stored',
    (l) =>
      change(
        l,
        4,
        'mark/0001/00000',
        mark((m) => ({
          duplicates: m.duplicates.map((row) => ({ ...row, eventId: '00000000-0000-4000-8000-000000000002' })),
        })),
      ),
    /^duplicate 4: a duplicate of it is stated, but it is not stored by then/,
  ],
  [
    'a duplicate of another record',
    (l) =>
      change(
        l,
        4,
        'mark/0001/00000',
        mark((m) => ({ duplicates: m.duplicates.map((row) => ({ ...row, sha256: '00'.repeat(32) })) })),
      ),
    /^original 4: .*not the one that is duplicate/,
  ],
  ['a dead letter left out', (l) => change(l, 3, 'dead/', () => null), /^coverage 3: dead offset 2 has no dead letter/],
  [
    'a dead letter of another code',
    (l) => change(l, 3, 'dead/', letter({ code: 'TIME_INVALID' })),
    /^coverage 3: dead offset 2 has a dead letter that says otherwise/,
  ],
  [
    'a dead letter that begins as discarded',
    (l) => change(l, 3, 'dead/', letter({ state: 'discarded', by: 'x', why: 'y' })),
    /^coverage 3: dead offset 2 begins as discarded/,
  ],
  [
    'a dead letter that no mark states',
    (l) =>
      l.contents.push(
        [
          (l.contents[2] ?? [])
            .filter((one) => keyOf(one).startsWith('dead/'))
            .map((one) => ({ ...one, key: Buffer.from(keyOf(one).replace(/2$/, '9')) })),
        ].flat(),
      ),
    /^dead-letter 6: it is open, but no mark of the transaction states it/,
  ],
  [
    'a dead letter written again',
    (l) => l.contents.push((l.contents[2] ?? []).filter((one) => keyOf(one).startsWith('dead/'))),
    /^dead-letter 6: it goes from open to open/,
  ],
  [
    'an act that changes the letter',
    (l) =>
      l.contents.push(
        (l.contents[2] ?? [])
          .filter((one) => keyOf(one).startsWith('dead/'))
          .map(letter({ state: 'discarded', by: 'x', why: 'y', message: 'another' })),
      ),
    /^dead-letter 6: the letter is another one than before/,
  ],
  [
    'a copy on the dead-letter topic that is another record',
    (l) => {
      l.letters.forEach((one, at) => (l.letters[at] = { ...one, value: Buffer.from('x') }));
    },
    /^dead-letter 3: .*its copy is another record/,
  ],
  [
    'a copy of another code',
    (l) => {
      l.letters.forEach(
        (one, at) =>
          (l.letters[at] = {
            ...one,
            headers: one.headers.map(([n, v]) => (n.endsWith('.code') ? [n, Buffer.from('X')] : [n, v])),
          }),
      );
    },
    /^dead-letter 3: .*its copy is of another code/,
  ],
  [
    'a copy that is not there',
    (l) => {
      l.letters.splice(0);
      l.letters.push({ ...recordOf(0, 20n, null) });
    },
    /^dead-letter 3: .*its copy is not there/,
  ],

  [
    'an event stored again',
    (l) => l.contents.push((l.contents[2] ?? []).filter((one) => keyOf(one).startsWith('event/')).slice(0, 1)),
    /^written-again 6: it was stored before, in transaction 3/,
  ],
  [
    'a key of somebody else',
    (l) => l.contents.push([entry('stray', Buffer.from('x'))]),
    /^format 6: key stray is not of this format/,
  ],
  [
    'a key that is deleted',
    (l) => l.contents.push([{ key: Buffer.from(markKey(1, 0)), value: Buffer.alloc(0), metadata: { deleted: true } }]),
    /^metadata 6: the key is deleted/,
  ],
  [
    'an entry that expires',
    (l) => change(l, 3, 'event/', (one) => ({ ...one, metadata: { expiresAt: 4_102_444_800n } })),
    /^metadata 3: the entry expires/,
  ],
  [
    'a log opened again',
    (l) => l.contents.push((l.contents[1] ?? []).slice(0, 1)),
    /^written-again 6: the log was opened before/,
  ],
  [
    'a mark of a log that was never opened',
    (l) => change(l, 3, 'mark/0001/00001', (one) => ({ ...one, key: Buffer.from(markKey(7, 1)) })),
    /^coverage 3: no transaction before has opened its log/,
  ],
  [
    'a record that Kafka does not have',
    (l) => void l.records.splice(0, 1),
    /^original 3: partition 0 offset 0: it is stated as stored, but Kafka has no record there/,
  ],
  [
    'a record where a gap is stated',
    (l) => void l.records.push(recordOf(0, 4n, Buffer.from('x'))),
    /^original 4: .*a gap is stated \(aborted\), but Kafka has a record at 4/,
  ],
];

describe('what is not true is named, though every hash is right:', () => {
  test.each(forgeries)('%s', async (_, forge, deviation) => {
    const ledger = await honest();
    forge(ledger);
    const report = await audited(ledger);
    expect(found(report)).toContainEqual(expect.stringMatching(deviation));
    expect(found(report).filter((one) => /^(chain|entries|trust)/.test(one))).toEqual([]);
  });
});

describe('what it rests on', () => {
  test('another genesis, another past, and a ledger that was rolled back are named', async () => {
    const ledger = await honest();
    const txs = txsOf(ledger.contents);
    const trusted = { id: 4n, alh: txs[3]?.alh ?? new Uint8Array() };
    const genesis = txs[0]?.alh ?? new Uint8Array();
    expect(found(await audited(ledger, { genesis, trusted }))).toEqual([]);
    const other = new Uint8Array(32);
    expect(found(await audited(ledger, { genesis: other }))).toEqual(['trust 1: it is not the genesis that is pinned']);
    expect(found(await audited(ledger, { trusted: { id: 4n, alh: other } }))).toEqual([
      'trust 4: it has another hash than the trusted state knows: the ledger has another past',
    ]);
    expect(found(await audited(ledger, { trusted: { id: 9n, alh: other } }))).toEqual([
      'trust null: it ends at transaction 5, but 9 was seen: it was rolled back',
    ]);
  });

  test('a transaction that was rewritten in place is named, and only that one', async () => {
    const ledger = await honest();
    const txs = txsOf(ledger.contents);
    const forged = await honest();
    const rewritten = txsOf([...ledger.contents.slice(0, 2), forged.contents[2] ?? [], ...ledger.contents.slice(3)])[2];
    if (rewritten) txs[2] = rewritten;
    const report = await audit(clientOf(txs) as LedgerClient);
    expect(found(report).filter((one) => one.startsWith('chain'))).toEqual([
      expect.stringMatching(/^chain 3: it is not the transaction that 4 was written after \(hash/),
    ]);
  });
});

test('what Kafka deleted is counted, and the rest compared', async () => {
  const ledger = await honest();
  const report = await audited(ledger, {
    readers: readersOf(
      ledger,
      new Map([
        [0, 4n],
        [1, 8n],
      ]),
    ),
  });
  expect(found(report)).toEqual([]);
  expect(report.kafka.originals).toEqual({ held: 4n, of: 4n, gone: 7n });
});

test('of a compacted topic what is left is compared', async () => {
  const ledger = await honest();
  const left = readerOf(ledger.records.slice(1), new Map(), true);
  const readers = { ...readersOf(ledger), source: () => left };
  const report = await audited(ledger, { readers });
  expect(found(report)).toEqual([]);
  expect(report.kafka.originals).toEqual({ held: 10n, of: 10n, gone: 1n });
});

test('without the record on Kafka its hash is made anew of what the ledger keeps', async () => {
  const ledger = await honest();
  change(ledger, 3, 'event/', text('"key":"key"', '"key":"kex"'));
  expect(found(await audit(clientOf(txsOf(ledger.contents)) as LedgerClient))).toEqual([
    'event 3: key, headers and value do not have its record hash',
  ]);
});

test('acts on a dead letter hold: open, redriving, open again, discarded', async () => {
  const ledger = await honest();
  const [one] = (ledger.contents[2] ?? []).filter((each) => keyOf(each).startsWith('dead/'));
  if (one === undefined) throw new Error('no dead letter');
  const act = { by: 'ada', why: 'ticket' };
  const redrive = { ...act, nonce: 'n', expectedSha256: '00'.repeat(32) };
  for (const fields of [
    { state: 'redriving', ...redrive },
    { state: 'open', ...act },
    { state: 'discarded', ...act },
  ]) {
    const core = decodeDead(keyOf(one), one.value);
    ledger.contents.push([{ ...one, value: encodeDead({ ...core, ...fields } as DeadState) }]);
  }
  expect(found(await audited(ledger))).toEqual([]);
});

test('each kind of key is met', async () => {
  const kinds = (await honest()).contents.flat().map((one) => parseKey(keyOf(one)).kind);
  expect(new Set(kinds)).toEqual(new Set(['format', 'log', 'event', 'time', 'corr', 'type', 'actor', 'dead', 'mark']));
});
