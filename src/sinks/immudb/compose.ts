import { recordSha256, valueSha256 } from '../../schemas/record-hash.ts';
import type { Batch, Composed, Outcome, Redrive, Span, Standing } from '../sink.ts';
import { encodeDead, type DeadState } from './format/dead-value.ts';
import { putEventValue } from './format/event-value.ts';
import { deadKey, markKey, putEventKey } from './format/keys.ts';
import { breakerName, encodeMark, type Mark } from './format/mark-value.ts';
import { newPen } from './format/pen.ts';
import type { PostingRow } from './format/posting-rows.ts';
import { planPostings } from './format/postings.ts';
import { transaction, type Transaction } from './transaction.ts';

export type Logs = { readonly source: number; readonly deadLetters: number };

/** A transaction whose marks are still open: they name the transaction before, which may be under way yet. */
export type ComposedTransaction = Composed & {
  readonly eventIds: readonly string[];
  /** The dead letters that it closes. */
  readonly closes: readonly LedgerRedrive[];
  /** Adds the marks on these standings; the request is as immudb takes it. May be called again on other standings. */
  seal(standings: ReadonlyMap<number, Standing>): Buffer;
  release(): void;
};

/** A redrive as this sink read it. */
export type LedgerRedrive = Redrive & { readonly dead: DeadState & { readonly state: 'redriving' } };

/** Entries that are made without a breath. */
const stride = 128;

/** The precondition of a key that was never written. */
const never = 1n;

/** Used between two breaths only. */
const postingPen = newPen(1024 * 1024);

/** What an event's value has beside its JSON, about. */
const usualSourceBytes = 400;

/** Everything of a batch but what depends on the transaction before it. Pure work. */
export const compose = async (
  batch: Batch,
  logs: Logs,
  writer: string,
  breathe: () => Promise<void>,
): Promise<ComposedTransaction> => {
  const tx = transaction();
  const rows: PostingRow[] = [];
  const eventIds: string[] = [];
  const closes: LedgerRedrive[] = [];
  for (const { outcomes } of batch.spans) {
    for (const outcome of outcomes) {
      if (outcome.kind === 'stored') {
        addEvent(tx, outcome, logs.source);
        eventIds.push(outcome.facts.eventId);
        const { partition, offset } = outcome.record;
        rows.push({ log: logs.source, partition, offset, facts: outcome.facts });
      } else if (outcome.kind === 'dead') addDead(tx, outcome, logs);
      if (outcome.closes !== undefined) {
        const redrive = outcome.closes as LedgerRedrive;
        addClosed(tx, outcome, redrive, logs.source);
        closes.push(redrive);
      }
      if (tx.entries() % stride === stride - 1) await breathe();
    }
  }
  postingPen.at = 0;
  for (const posting of planPostings(rows, postingPen)) tx.add(posting.key, posting.value, never);
  const beforeMarks = tx.mark();
  return {
    batch,
    entries: tx.entries() + batch.spans.length,
    bytes: tx.bytes(),
    eventIds,
    closes,
    seal: (standings) => {
      tx.rewind(beforeMarks);
      for (const span of batch.spans) {
        const standing = standings.get(span.partition) ?? null;
        const value = encodeMark(markOf(span, standing, logs, writer));
        tx.add(markKey(logs.source, span.partition), value, standing?.tx ?? never);
      }
      tx.withoutWaiting();
      return tx.request();
    },
    release: () => tx.release(),
  };
};

const addEvent = (tx: Transaction, event: Outcome & { kind: 'stored' }, log: number) => {
  const { record, facts, json, framed } = event;
  // Hot path: one literal, nothing spread.
  const source = {
    log,
    partition: record.partition,
    offset: record.offset,
    timestamp: record.timestamp,
    timestampType: record.timestampType,
    key: record.key,
    headers: record.headers,
    headersOmitted: 0,
    sha256: valueSha256(record.value),
    recordSha256: recordSha256(record),
    encoding: framed?.encoding ?? 'json',
    schemaId: framed?.schemaId,
    original: framed?.original,
  };
  const pen = tx.open(json.length + usualSourceBytes);
  putEventKey(pen, facts.eventId);
  tx.value();
  putEventValue(pen, source, json);
  tx.close(never);
};

const addDead = (tx: Transaction, dead: Outcome & { kind: 'dead' }, logs: Logs) => {
  const { record, code, message, sha256, dlq, eventId, correlationId, eventType, closes } = dead;
  const value = encodeDead({
    state: 'open',
    code,
    message,
    sha256,
    dlq: { log: logs.deadLetters, ...dlq },
    attempt: closes === undefined ? 1 : closes.attempt + 1,
    ...(closes !== undefined && { of: closes.of }),
    ...(eventId !== undefined && { eventId }),
    ...(correlationId !== undefined && { correlationId }),
    ...(eventType !== undefined && { eventType }),
  });
  tx.add(deadKey({ log: logs.source, partition: record.partition, offset: record.offset }), value, never);
};

/** The redrive is over: its letter says how, in the transaction that says it of the record. */
const addClosed = (tx: Transaction, { kind, record }: Outcome, redrive: LedgerRedrive, log: number) => {
  const { partition, offset } = record;
  const closed: DeadState = { ...redrive.dead, state: 'redriven', redriven: { as: kind, log, partition, offset } };
  tx.add(deadKey(redrive.of), encodeDead(closed), redrive.tx);
};

const markOf = (span: Span, standing: Standing | null, logs: Logs, writer: string): Mark => {
  const { first, next, last, gaps, outcomes, unchecked, tripped } = span;
  const duplicates: Mark['duplicates'][number][] = [];
  const dead: Mark['dead'][number][] = [];
  for (const outcome of outcomes) {
    const { offset } = outcome.record;
    if (outcome.kind === 'duplicate') duplicates.push({ offset, eventId: outcome.eventId, sha256: outcome.sha256 });
    else if (outcome.kind === 'dead') {
      const dlq = { log: logs.deadLetters, ...outcome.dlq };
      dead.push({ offset, code: outcome.code, dlq, sha256: outcome.sha256 });
    }
  }
  return {
    first,
    next,
    prev: standing && { tx: standing.tx, next: standing.next },
    last,
    stored: outcomes.length - duplicates.length - dead.length,
    duplicates,
    dead,
    gaps,
    writer,
    ...(unchecked && { unchecked: true as const }),
    ...(tripped !== undefined && { by: breakerName, why: tripped }),
  };
};
