import type { DeadState } from '../sinks/immudb/format/dead-value.ts';
import type { LedgerLetter } from '../sinks/immudb/letters.ts';
import type { FoundLetter } from './found-letter.ts';

/** Which dead letters are meant; all conditions together. JSON, so that a redrive can be stated in the ledger. */
export type LetterFilter = {
  readonly state?: DeadState['state'] | 'all';
  readonly codes?: readonly string[];
  readonly topic?: string;
  readonly partition?: number;
  /** First and last offset, both included, as decimal text. */
  readonly fromOffset?: string;
  readonly toOffset?: string;
  /** Unix milliseconds of the record's own timestamp: from `since` to below `until`. */
  readonly since?: number;
  readonly until?: number;
  readonly eventType?: string;
  readonly correlationId?: string;
  /** Anywhere in the record's value, the message or the event id; upper and lower case are the same. */
  readonly text?: string;
};

type Test = (letter: LedgerLetter) => boolean;

/** What the ledger alone can tell. A letter is meant if it is open, unless the filter names another state. */
export const ledgerTest = (filter: LetterFilter): Test => {
  const { state = 'open', codes, eventType, correlationId } = filter;
  const from = filter.fromOffset === undefined ? null : BigInt(filter.fromOffset);
  const to = filter.toOffset === undefined ? null : BigInt(filter.toOffset);
  return ({ at, dead }) =>
    (state === 'all' || dead.state === state) &&
    (codes === undefined || codes.includes(dead.code)) &&
    (filter.partition === undefined || at.partition === filter.partition) &&
    (from === null || at.offset >= from) &&
    (to === null || at.offset <= to) &&
    (eventType === undefined || dead.eventType === eventType) &&
    (correlationId === undefined || dead.correlationId === correlationId);
};

/** What needs the record on the dead-letter topic. A letter whose record cannot be read is not meant by those. */
export const recordTest = ({ since, until, text }: LetterFilter): ((found: FoundLetter) => boolean) => {
  const wanted = text?.toLowerCase();
  return ({ dead, original }) => {
    const timestamp = original.ok ? Number(original.record.timestamp) : null;
    if (since !== undefined && (timestamp === null || timestamp < since)) return false;
    if (until !== undefined && (timestamp === null || timestamp >= until)) return false;
    if (wanted === undefined) return true;
    const texts = [dead.message, dead.eventId ?? '', original.ok ? (original.record.value?.toString() ?? '') : ''];
    return texts.some((one) => one.toLowerCase().includes(wanted));
  };
};
