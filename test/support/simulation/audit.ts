import { decodeDead } from '../../../src/sinks/immudb/format/dead-value.ts';
import { decodeEventValue } from '../../../src/sinks/immudb/format/event-value.ts';
import { decodeMark, type Mark } from '../../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../../src/sinks/immudb/format/parse-key.ts';
import type { ChainTx } from '../../fakes/immudb-chain.ts';
import type { SimulatedLog } from './kafka-log.ts';
import type { LetterBox } from './letters.ts';
import { contentOf } from './producer.ts';

type Told = { readonly logs: readonly SimulatedLog[]; readonly letters: LetterBox };

/**
 * Reads the ledger's transactions one by one and compares them with what is true of the logs: what became of each offset
 * must be stated once, in order, by what lies in the same transaction, and be what should have become of it. The events
 * of other logs are only remembered.
 */
export const audit = (txs: readonly ChainTx[], { logs, letters }: Told) => {
  const problems: string[] = [];
  const stored = new Map<string, string>();
  const coverage = new Map<number, { tx: bigint; next: bigint }>();

  const auditTx = ({ header, entries }: ChainTx) => {
    const complain = (what: string) => problems.push(`transaction ${header.id.toString()}: ${what}`);
    const events = new Map<string, string>();
    const marks: [partition: number, mark: Mark][] = [];
    const dead = new Set<string>();
    for (const { key, value } of entries) {
      const name = key.toString('latin1');
      const parsed = parseKey(name);
      const bytes = value ?? Buffer.alloc(0);
      if (parsed.kind === 'event') {
        const { source, json } = decodeEventValue(name, bytes);
        if (stored.has(parsed.eventId)) complain(`event ${parsed.eventId} is stored twice`);
        stored.set(parsed.eventId, contentOf(json));
        if (source.log !== 1) continue;
        events.set(`${source.partition}@${source.offset.toString()}`, parsed.eventId);
        const item = logs[source.partition]?.items[Number(source.offset)];
        if (item?.kind !== 'record' || item.record.value?.equals(json) !== true)
          complain(`event ${name} is not what was produced`);
      } else if (parsed.kind === 'mark' && parsed.log === 1) marks.push([parsed.partition, decodeMark(name, bytes)]);
      else if (parsed.kind === 'dead') {
        dead.add(`${parsed.partition}@${parsed.offset.toString()}`);
        decodeDead(name, bytes);
      }
    }
    for (const [partition, mark] of marks) auditMark(complain, header.id, partition, mark, events, dead);
    if (events.size > 0) complain(`${events.size} events are in no mark`);
    if (dead.size > 0) complain(`${dead.size} dead letters are in no mark`);
  };

  const auditMark = (
    complain: (what: string) => void,
    tx: bigint,
    partition: number,
    mark: Mark,
    events: Map<string, string>,
    dead: Set<string>,
  ) => {
    const before = coverage.get(partition);
    if (mark.first !== (before?.next ?? mark.first))
      complain(`${partition} begins at ${mark.first.toString()}, not ${String(before?.next)}`);
    if (mark.prev?.tx !== before?.tx) complain(`${partition} names another mark before it`);
    coverage.set(partition, { tx, next: mark.next });
    const duplicates = new Map(mark.duplicates.map((one) => [one.offset, one]));
    const letters = new Map(mark.dead.map((one) => [one.offset, one]));
    let count = 0;
    for (let offset = mark.first; offset < mark.next; offset += 1n) {
      const at = `${partition}@${offset.toString()}`;
      const claims = [
        events.delete(at) ? 'stored' : null,
        duplicates.delete(offset) ? 'duplicate' : null,
        letters.has(offset) ? 'dead' : null,
        mark.gaps.find((gap) => gap.from <= offset && offset < gap.to)?.reason ?? null,
      ].filter((claim) => claim !== null);
      if (claims.length !== 1) complain(`${at} is stated ${claims.length} times: ${claims.join(', ')}`);
      if (claims[0] === 'stored') count += 1;
      const letter = letters.get(offset);
      letters.delete(offset);
      if (letter !== undefined && !dead.delete(at)) complain(`${at} has no dead letter`);
      const wrong = isWrong(partition, offset, claims[0] ?? '', letter);
      if (wrong !== null) complain(`${at} is ${claims.join()}, but ${wrong}`);
    }
    if (count !== mark.stored) complain(`${partition} states ${mark.stored} stored, there are ${count}`);
    if (duplicates.size + letters.size > 0) complain(`${partition} states offsets outside of it`);
  };

  /** Null: this offset is rightly what it is said to be. */
  const isWrong = (
    partition: number,
    offset: bigint,
    claim: string,
    letter: Mark['dead'][number] | undefined,
  ): string | null => {
    const log = logs[partition];
    const item = log?.items[Number(offset)];
    if (item === undefined) return 'it is not in the log';
    if (claim === 'below_log_start') return Number(offset) < (log?.start() ?? 0) ? null : 'nobody deleted it';
    if (item.kind !== 'record') return claim === item.kind ? null : `there is a ${item.kind} batch`;
    if (claim === 'absent') return item.isCompacted ? null : 'it is there';
    const { truth, record } = item;
    if (claim === 'dead') {
      if (letter === undefined || letters.at(letter.dlq)?.record !== record) return 'its letter is not on the topic';
      if (truth.kind === 'poison') return letter.code === 'EVENT_ID_CONFLICT' ? 'it is no event at all' : null;
      if (letter.code !== 'EVENT_ID_CONFLICT') return `it is a right event, dead for ${letter.code}`;
      return stored.get(truth.eventId) === truth.content ? 'there is no conflict' : null;
    }
    if (truth.kind === 'poison') return 'it is poison';
    if (claim === 'stored') return null;
    const known = stored.get(truth.eventId);
    return claim === 'duplicate' && known === truth.content ? null : `the ledger holds ${String(known)} of its id`;
  };

  for (const tx of txs) auditTx(tx);
  return { problems, coverage, stored };
};
