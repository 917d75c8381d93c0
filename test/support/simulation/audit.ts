import { decodeDead } from '../../../src/sinks/immudb/format/dead-value.ts';
import { decodeEventValue } from '../../../src/sinks/immudb/format/event-value.ts';
import { decodeMark, type Mark } from '../../../src/sinks/immudb/format/mark-value.ts';
import { parseKey } from '../../../src/sinks/immudb/format/parse-key.ts';
import type { ChainTx } from '../../fakes/immudb-chain.ts';
import type { SimulatedLog } from './kafka-log.ts';
import type { LetterBox } from './letters.ts';
import { contentOf } from './producer.ts';
import type { TopicLife } from './world.ts';

type Told = {
  readonly lives: readonly TopicLife[];
  readonly isCompacted: boolean;
  readonly letters: LetterBox;
};

type Covered = { readonly tx: bigint; readonly next: bigint; readonly last: Mark['last'] };
type Letter = Mark['dead'][number];
type Claim = {
  readonly offset: bigint;
  readonly claims: readonly string[];
  /** What is stored of it, or says that it is dead. */
  readonly value: Buffer | undefined;
  readonly letter: Letter | undefined;
};

/**
 * Reads the ledger's transactions one by one and compares them with what is true of the logs: what became of each offset
 * must be stated once, in order, by what lies in the same transaction, and be what should have become of it. The events
 * of other logs are only remembered.
 *
 * When the topic was deleted and made anew, nothing of its next life may be stated of the first, with one exception: a
 * partition whose last covered record the next life no longer has, so that nothing is left by which to tell the two
 * apart. Then a mark must say `unchecked` before, or where, that begins.
 */
export const audit = (txs: readonly ChainTx[], { lives, isCompacted, letters }: Told) => {
  const problems: string[] = [];
  const stored = new Map<string, string>();
  const coverage = new Map<number, Covered>();
  /** Which life of it a partition's statements are of, by now, and which they may turn to. */
  const present = new Map<number, SimulatedLog>();
  const followers = new Map<number, SimulatedLog>();

  const auditTx = ({ header, entries }: ChainTx) => {
    const complain = (what: string) => problems.push(`transaction ${header.id.toString()}: ${what}`);
    const events = new Map<string, Buffer>();
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
        if (source.log === 1) events.set(`${source.partition}@${source.offset.toString()}`, json);
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
    events: Map<string, Buffer>,
    dead: Set<string>,
  ) => {
    const before = coverage.get(partition);
    if (mark.first !== (before?.next ?? mark.first))
      complain(`${partition} begins at ${mark.first.toString()}, not ${String(before?.next)}`);
    if (mark.prev?.tx !== before?.tx) complain(`${partition} names another mark before it`);
    coverage.set(partition, { tx, next: mark.next, last: mark.last });
    const duplicates = new Map(mark.duplicates.map((one) => [one.offset, one]));
    const letters = new Map(mark.dead.map((one) => [one.offset, one]));
    const stated: Claim[] = [];
    for (let offset = mark.first; offset < mark.next; offset += 1n) {
      const at = `${partition}@${offset.toString()}`;
      const value = events.get(at);
      events.delete(at);
      const claims = [
        value === undefined ? null : 'stored',
        duplicates.delete(offset) ? 'duplicate' : null,
        letters.has(offset) ? 'dead' : null,
        mark.gaps.find((gap) => gap.from <= offset && offset < gap.to)?.reason ?? null,
      ].filter((claim) => claim !== null);
      if (claims.length !== 1) complain(`${at} is stated ${claims.length} times: ${claims.join(', ')}`);
      const letter = letters.get(offset);
      letters.delete(offset);
      if (letter !== undefined && !dead.delete(at)) complain(`${at} has no dead letter`);
      stated.push({ offset, claims, value, letter });
    }
    const count = stated.filter(({ value }) => value !== undefined).length;
    if (count !== mark.stored) complain(`${partition} states ${mark.stored} stored, there are ${count}`);
    if (duplicates.size + letters.size > 0) complain(`${partition} states offsets outside of it`);
    const log = present.get(partition) ?? lives[0]!.logs[partition]!;
    const next = lives[log.life + 1];
    if (mark.unchecked === true && next !== undefined && tx > next.afterTx)
      if (isGone(next.logs[partition], before?.last ?? null)) followers.set(partition, next.logs[partition]!);
    for (const claim of stated) auditTruth(complain, log, claim);
  };

  const auditTruth = (complain: (what: string) => void, first: SimulatedLog, claim: Claim) => {
    const { partition } = first;
    const wrong = wrongOf(present.get(partition) ?? first, claim);
    const follower = followers.get(partition);
    if (wrong === null) return;
    if (follower !== undefined && wrongOf(follower, claim) === null) present.set(partition, follower);
    else complain(`${partition}@${claim.offset.toString()} is ${claim.claims.join()}, but ${wrong}`);
  };

  /** Whether the log reaches where the last covered record was, and has no record there any more. */
  const isGone = (log: SimulatedLog | undefined, last: Mark['last']): boolean => {
    if (log === undefined || last === null) return false;
    if (BigInt(log.start()) > last.offset) return true;
    const item = log.items[Number(last.offset)];
    return isCompacted && item !== undefined && (item.kind !== 'record' || item.isCompacted);
  };

  /** Null: this offset is rightly what it is said to be. */
  const wrongOf = (log: SimulatedLog, { offset, claims: [claim = ''], letter, value }: Claim): string | null => {
    const item = log.items[Number(offset)];
    if (item === undefined) return 'it is not in the log';
    if (claim === 'below_log_start') return Number(offset) < log.start() ? null : 'nobody deleted it';
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
    if (claim === 'stored')
      return value !== undefined && record.value?.equals(value) === true ? null : 'not as produced';
    const known = stored.get(truth.eventId);
    return claim === 'duplicate' && known === truth.content ? null : `the ledger holds ${String(known)} of its id`;
  };

  for (const tx of txs) auditTx(tx);
  return { problems, coverage, stored };
};
