import { equalBytes } from '../../proofs/bytes.ts';
import { entryDigest, rootOfDigests } from '../../proofs/entry.ts';
import type { TxHeader } from '../../proofs/header.ts';
import { decode } from '../../schemas/decode.ts';
import { valueSha256 } from '../../schemas/record-hash.ts';
import type { TxEntry } from '../../sinks/immudb/answers.ts';
import type { Coordinates } from '../../sinks/immudb/format/keys.ts';
import { sha256 } from '../../sinks/immudb/sha256.ts';
import type { FoundPosting, TxContents } from './contents.ts';
import type { Deviation } from './deviations.ts';
import { checkPostings, type PostedEvent } from './posting-check.ts';

/** What a whole transaction says, as far as it is judged by itself, apart from all others and from Kafka. */
export type TxCase = {
  readonly header: Pick<TxHeader, 'nentries' | 'eH'>;
  readonly entries: readonly Pick<TxEntry, 'storedKey' | 'storedValue' | 'metadata'>[];
  readonly events: readonly CasedEvent[];
  readonly postings: readonly FoundPosting[];
};

export type CasedEvent = {
  readonly key: string;
  readonly eventId: string;
  readonly at: Coordinates;
  readonly json: Buffer;
  /** Which hash its bytes must have; null: they are not the record's own. */
  readonly sha256: string | null;
};

export type Fault = Pick<Deviation, 'kind' | 'what'> & { readonly key: string };

export type Verdict = {
  /** Whether its entries make the root of its header. */
  readonly isRooted: boolean;
  /** How many postings are right. */
  readonly postings: number;
  /** Ids of events of which something is wrong by itself. */
  readonly faulty: readonly string[];
  readonly faults: readonly Fault[];
};

/** Judges what was read, and resolves in any order. */
export type Judge = (tx: Pick<TxCase, 'header' | 'entries'>, contents: TxContents) => Promise<Verdict>;

/** Everything is hashed and decoded anew. Pure. */
export const judge = ({ header, entries, events, postings }: TxCase): Verdict => {
  const faults: Fault[] = [];
  const faulty = new Set<string>();
  const posted = events.map((event): PostedEvent => {
    const fault = (what: string): void => {
      faulty.add(event.eventId);
      faults.push({ kind: 'event', key: event.key, what });
    };
    return { ...event, facts: factsOf(event, fault) };
  });
  const right = checkPostings({ events: posted, postings }, ({ key, what }) =>
    faults.push({ kind: 'posting', key, what }),
  );
  return { isRooted: isRooted(header, entries), postings: right, faulty: [...faulty], faults };
};

/** Judges where it is called. */
export const judgeHere: Judge = (tx, contents) => Promise.resolve(judge(caseOf(tx, contents)));

const caseOf = ({ header, entries }: Pick<TxCase, 'header' | 'entries'>, contents: TxContents): TxCase => ({
  header,
  entries,
  events: contents.events.map(({ key, eventId, source, json }) => ({
    ...{ key, eventId, json, at: { log: source.log, partition: source.partition, offset: source.offset } },
    sha256: source.encoding === 'json' ? source.sha256 : null,
  })),
  postings: contents.postings,
});

/** The event is held to its own hash, and judged as the pipeline judged it. */
const factsOf = ({ json, eventId, sha256: due }: CasedEvent, fault: (what: string) => void): PostedEvent['facts'] => {
  if (due !== null && valueSha256(json) !== due) fault('its bytes do not have the hash that its source states');
  const decoded = decode(json);
  if (!decoded.accepted) fault(`it is no event that is taken: ${decoded.code}, ${decoded.message}`);
  else if (decoded.facts.eventId !== eventId) fault(`the event has id ${decoded.facts.eventId}`);
  else return decoded.facts;
  return null;
};

const isRooted = ({ nentries, eH }: TxCase['header'], entries: TxCase['entries']): boolean => {
  if (entries.length !== nentries) return false;
  const digests = entries.map(({ storedKey, storedValue, metadata }) =>
    entryDigest({ storedKey, metadata, hValue: sha256(storedValue) }, sha256),
  );
  return equalBytes(rootOfDigests(digests, sha256), eH);
};
