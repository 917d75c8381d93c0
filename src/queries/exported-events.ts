import { PipelineError } from '../errors.ts';
import { equalBytes } from '../proofs/bytes.ts';
import { emptyChain, followHeader } from '../proofs/chain.ts';
import { digestOfEntry, rootOfDigests } from '../proofs/entry.ts';
import type { TxHash } from '../proofs/linking.ts';
import { requireProof } from '../proofs/proof-error.ts';
import { parseEventTime } from '../schemas/event-time.ts';
import type { Tx } from '../sinks/immudb/answers.ts';
import { correlationHead, eventKey, timeHead, typeHead, type PostingHead } from '../sinks/immudb/format/keys.ts';
import type { Ledger } from '../sinks/immudb/ledger.ts';
import { orProofFailed } from '../sinks/immudb/proof-source.ts';
import { sha256 } from '../sinks/immudb/sha256.ts';
import { postedEvents, type PostedEvent } from './postings.ts';

/** Which events are asked for. Times are Unix microseconds: from here on, and before there. */
export type EventsWanted = {
  readonly list: { readonly by: 'correlation' | 'type'; readonly value: string } | { readonly by: 'time' };
  readonly fromUs: number;
  readonly toUs: number;
};

/** An event's value as the ledger has it, and the transaction that it is proven to be in. */
export type ExportedEvent = { readonly tx: bigint; readonly value: Buffer };

type ReadLedger = Pick<Ledger, 'client' | 'reads'>;

/** Events asked for at once. */
const pageSize = 100;
const txPageSize = 8;

/** By the ledger's postings, oldest first, as of this transaction. Rejects with LEDGER_PROOF_FAILED. */
export async function* eventsByIndex(
  ledger: ReadLedger,
  { list, fromUs, toUs }: EventsWanted,
  snapshotTx: bigint,
): AsyncGenerator<ExportedEvent> {
  let page: PostedEvent[] = [];
  for await (const posted of postedEvents(ledger, { head: headOf(list), fromUs, toUs, snapshotTx })) {
    page.push(posted);
    if (page.length < pageSize) continue;
    yield* await read(ledger, page);
    page = [];
  }
  yield* await read(ledger, page);
}

const headOf = (list: EventsWanted['list']): PostingHead => {
  if (list.by === 'time') return timeHead;
  return list.by === 'type' ? typeHead(list.value) : correlationHead(list.value);
};

const read = async ({ client, reads }: ReadLedger, page: readonly PostedEvent[]): Promise<ExportedEvent[]> => {
  if (page.length === 0) return [];
  const entries = await client.getAll(page.map(({ eventId }) => Buffer.from(eventKey(eventId))));
  const byKey = new Map(entries.map((entry) => [entry.key.toString(), entry]));
  const events: ExportedEvent[] = [];
  for (const { eventId, tx } of page) {
    const entry = byKey.get(eventKey(eventId));
    if (entry?.tx !== tx) {
      const message = `a posting of transaction ${tx.toString()} lists event ${eventId}, which is not there`;
      throw new PipelineError('LEDGER_PROOF_FAILED', message);
    }
    await reads.verifyEntry(entry);
    events.push({ tx, value: entry.value });
  }
  return events;
};

/**
 * By reading every transaction up to `end`, in their order: nothing that is asked for can be missing when this ends, as
 * the chain of headers from the first one leads to the hash of `end`, and the entries of each make its root. What was
 * given out before counts only then. Rejects with LEDGER_PROOF_FAILED.
 */
export async function* eventsByWalk(
  { client }: Pick<Ledger, 'client'>,
  wanted: EventsWanted,
  end: TxHash,
): AsyncGenerator<ExportedEvent> {
  let chain = emptyChain(sha256);
  while (chain.id < end.id) {
    const due = Number(end.id - chain.id);
    const txs = await client.txScan(chain.id + 1n, Math.min(txPageSize, due), 'raw');
    if (txs.length === 0) throw new PipelineError('LEDGER_ROLLED_BACK', `immudb ends at ${chain.id.toString()}`);
    for (const tx of txs) {
      chain = orProofFailed('following the chain', () => followHeader(chain, tx.header, sha256));
      yield* wholeEvents(tx, wanted);
    }
  }
  const isEnd = equalBytes(chain.alh, end.alh);
  orProofFailed('following the chain', () =>
    requireProof(isEnd, 'anchor', 'the chain does not lead to the hash of the checkpoint'),
  );
}

const wholeEvents = ({ header, entries }: Tx, wanted: EventsWanted): ExportedEvent[] => {
  const plain = entries.map(({ storedKey, storedValue, metadata }) => {
    return { key: storedKey.subarray(1), value: storedValue.subarray(1), metadata };
  });
  const digests = plain.map((entry) => digestOfEntry(entry, sha256));
  const isWhole = plain.length === header.nentries && equalBytes(rootOfDigests(digests, sha256), header.eH);
  orProofFailed(`reading transaction ${header.id.toString()}`, () =>
    requireProof(isWhole, 'entry', 'its entries do not make the root that its header states'),
  );
  const events = plain.filter(({ key, value }) => isEvent(key) && isWanted(Buffer.from(value), wanted));
  return events.map(({ value }) => ({ tx: header.id, value: Buffer.from(value) }));
};

const isEvent = (key: Uint8Array): boolean => Buffer.from(key.subarray(0, 6)).toString('latin1') === 'event/';

type Parsed = { readonly event: Readonly<Record<string, unknown>> };

const isWanted = (value: Buffer, { list, fromUs, toUs }: EventsWanted): boolean => {
  const { event } = JSON.parse(value.toString()) as Parsed;
  const timeUs = parseEventTime(String(event['event_timestamp']));
  if (timeUs === null || timeUs < fromUs || timeUs >= toUs) return false;
  if (list.by === 'time') return true;
  return event[list.by === 'type' ? 'event_type' : 'correlation_id'] === list.value;
};
