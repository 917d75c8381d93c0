import type { Decoded } from '../schemas/decoded.ts';
import type { KafkaRecord } from '../schemas/record.ts';
import type { RedriveTag } from '../schemas/redrive-headers.ts';
import type { Redrive } from '../sinks/sink.ts';

/** A record with what was found out about it once; what becomes of it depends on what the ledger holds already. */
export type Judged = {
  readonly record: KafkaRecord;
  readonly decoded: Decoded;
  /** Where its copy lies on the dead-letter topic, once it was sent there: it is never sent twice. */
  deadAt: { readonly partition: number; readonly offset: bigint } | null;
  /** Its headers claim that it is the redrive of a dead letter. */
  readonly tag: RedriveTag | null;
  /** The redrive that it settles, by what the ledger states of the claim. */
  redrive: Redrive | null;
  /** The ledger's own words, when it refused this record for its own sake. */
  refused: string | null;
};

export type Verdict =
  | { readonly kind: 'store' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'dead'; readonly code: string; readonly message: string };

const store: Verdict = { kind: 'store' };
const duplicate: Verdict = { kind: 'duplicate' };
const conflict: Verdict = {
  kind: 'dead',
  code: 'EVENT_ID_CONFLICT',
  message: 'the ledger holds another event with this event_id',
};

/**
 * Decides what becomes of each record, in order. `earlier` finds the JSON of events of the same id that came before: in
 * the batch being written, or in the ledger. Events that this call decides to store are put into `stores`, and known to
 * the records after them.
 */
export const judgeAll = (
  judged: readonly Judged[],
  earlier: (eventId: string) => Buffer | undefined,
  isSameContent: (a: Buffer, b: Buffer) => boolean,
  stores = new Map<string, Buffer>(),
): Verdict[] => {
  return judged.map(({ decoded, refused }) => {
    if (refused !== null) return { kind: 'dead', code: 'LEDGER_REFUSED', message: refused };
    if (!decoded.accepted) return { kind: 'dead', code: decoded.code, message: decoded.message };
    const { eventId } = decoded.facts;
    const known = stores.get(eventId) ?? earlier(eventId);
    if (known === undefined) {
      stores.set(eventId, decoded.json);
      return store;
    }
    return isSameContent(known, decoded.json) ? duplicate : conflict;
  });
};
