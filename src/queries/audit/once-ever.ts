import { hash } from 'node:crypto';
import type { DeadState } from '../../sinks/immudb/format/dead-value.ts';
import { deadKey, eventKey } from '../../sinks/immudb/format/keys.ts';
import type { FoundDead, TxContents } from './contents.ts';
import type { Span } from './coverage.ts';
import type { Deviations } from './deviations.ts';
import { noteOf, sightings, type Note, type Sighting, type Sightings } from './sightings.ts';

/** Promises between transactions that may lie far apart, held without the index of the ledger. */
export type OnceEver = {
  add(contents: TxContents, spans: readonly Span[]): void;
  /** Looks at all that was added. Resolves what only transactions before the audit's first can say. */
  settle(): Unsettled;
  close(): void;
};

export type Unsettled = {
  /** Duplicates of events that were stored before the audit began; the first ones, and how many there are. */
  readonly duplicates: readonly { readonly eventId: string; readonly tx: bigint }[];
  readonly count: number;
  /** Duplicates of other bytes than those of the event; the first ones, and how many there are. */
  readonly others: readonly OtherBytes[];
  readonly othersCount: number;
};

/** Transaction `tx` states a duplicate of an event of transaction `of`, whose record had other bytes. */
export type OtherBytes = { readonly eventId: string; readonly tx: bigint; readonly of: bigint };

const event = 1;
const duplicate = 2;
/** Dead letters are 16 and more: the state, and whether the mark of the transaction states it. */
const deadBase = 16;
const states = ['open', 'redriving', 'redriven', 'discarded'] as const satisfies readonly DeadState['state'][];
const isStatedBit = 8;

const maxUnsettled = 10_000;

/**
 * Each event id is stored once; a duplicate is of an event that was stored in an earlier transaction or the same; a dead
 * letter begins in the transaction that states it, stays the letter that it is, and goes from state to state as the acts
 * of operators allow. `isFromStart`: the audit began with transaction 1, so that nothing can lie before it.
 */
export const onceEver = (deviations: Deviations, isFromStart: boolean, folder?: string): OnceEver => {
  const seen: Sightings = sightings(folder === undefined ? {} : { folder });
  const unsettled: { eventId: string; tx: bigint }[] = [];
  const others: OtherBytes[] = [];
  let [count, othersCount] = [0, 0];

  const visitEvent = (key: Buffer, rows: readonly Sighting[]): void => {
    const eventId = uuidOf(key);
    const [stored, ...again] = rows.filter(({ kind }) => kind === event);
    for (const { tx } of again) {
      const what = `it was stored before, in transaction ${stored?.tx.toString() ?? ''}`;
      deviations.add('written-again', { tx, key: eventKey(eventId) }, what);
    }
    for (const { kind, tx, note } of rows) {
      if (kind !== duplicate) continue;
      if (stored !== undefined && stored.tx <= tx) {
        if (note === stored.note) continue;
        othersCount += 1;
        if (others.length < maxUnsettled) others.push({ eventId, tx, of: stored.tx });
      } else if (stored === undefined && !isFromStart) {
        count += 1;
        if (unsettled.length < maxUnsettled) unsettled.push({ eventId, tx });
      } else {
        deviations.add(
          'duplicate',
          { tx, key: eventKey(eventId) },
          'a duplicate of it is stated, but it is not stored by then',
        );
      }
    }
  };

  const visitDead = (key: Buffer, rows: readonly Sighting[]): void => {
    const name = deadKey({ log: key.readUInt32BE(0), partition: key.readUInt32BE(4), offset: key.readBigUInt64BE(8) });
    let before: Sighting | null = null;
    for (const row of rows) {
      const fault = faultOfRevision(before, row, isFromStart);
      if (fault !== null) deviations.add('dead-letter', { tx: row.tx, key: name }, fault);
      before = row;
    }
  };

  return {
    add: (contents, spans) => {
      const { id } = contents;
      for (const { eventId, source } of contents.events)
        seen.add(bytesOfUuid(eventId), { kind: event, tx: id, note: noteOfHex(source.sha256) });
      for (const { mark } of spans) {
        for (const { eventId, sha256 } of mark.duplicates)
          seen.add(bytesOfUuid(eventId), { kind: duplicate, tx: id, note: noteOfHex(sha256) });
      }
      const stated = new Set(
        spans.flatMap(({ log, partition, mark }) => mark.dead.map(({ offset }) => nameOf(log, partition, offset))),
      );
      for (const found of contents.dead) {
        const { log, partition, offset } = found.at;
        const isStated = stated.has(nameOf(log, partition, offset));
        const kind = deadBase + states.indexOf(found.dead.state) + (isStated ? isStatedBit : 0);
        seen.add(bytesOfPlace(found), { kind, tx: id, note: letterOf(found.dead) });
      }
    },
    settle: () => {
      seen.visit((key, rows) => {
        // A place can never be read as a UUID's key: its first byte is 0, and ids of kind 1 and 2 are looked at apart.
        const deadRows = rows.filter(({ kind }) => kind >= deadBase);
        if (deadRows.length > 0) visitDead(key, deadRows);
        if (deadRows.length < rows.length)
          visitEvent(
            key,
            rows.filter(({ kind }) => kind < deadBase),
          );
      });
      return { duplicates: unsettled, count, others, othersCount };
    },
    close: () => seen.close(),
  };
};

const nameOf = (log: number, partition: number, offset: bigint): string => `${log}/${partition}/${offset.toString()}`;

const noteOfHex = (sha256: string): Note => sha256.slice(0, 16);

const bytesOfUuid = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');

const uuidOf = (bytes: Buffer): string => {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

const bytesOfPlace = ({ at }: FoundDead): Buffer => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(at.log, 0);
  bytes.writeUInt32BE(at.partition, 4);
  bytes.writeBigUInt64BE(at.offset, 8);
  return bytes;
};

/** Stands for what no act may change. */
const letterOf = ({ code, message, sha256, dlq, attempt, of }: DeadState): Note => {
  const places = [dlq, ...(of === undefined ? [] : [of])].map(
    (at) => `${at.log}/${at.partition}/${at.offset.toString()}`,
  );
  return noteOf(hash('sha256', JSON.stringify([code, message, sha256, attempt, places]), 'buffer'));
};

const nextStates: Readonly<Record<DeadState['state'], readonly DeadState['state'][]>> = {
  open: ['redriving', 'discarded'],
  redriving: ['redriven', 'open', 'discarded'],
  redriven: [],
  discarded: [],
};

const stateOf = ({ kind }: Sighting): DeadState['state'] => states[(kind - deadBase) % isStatedBit] ?? 'open';

const faultOfRevision = (before: Sighting | null, row: Sighting, isFromStart: boolean): string | null => {
  const isStated = row.kind - deadBase >= isStatedBit;
  const state = stateOf(row);
  if (before === null)
    return isStated || !isFromStart ? null : `it is ${state}, but no mark of the transaction states it`;
  if (isStated) return `it was stated before, in transaction ${before.tx.toString()}`;
  if (row.note !== before.note) return 'the letter is another one than before';
  const was = stateOf(before);
  return nextStates[was].includes(state) ? null : `it goes from ${was} to ${state}`;
};
