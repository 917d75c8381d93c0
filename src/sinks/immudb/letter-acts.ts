import { PipelineError } from '../../errors.ts';
import type { Retrying } from '../with-retry.ts';
import { writeChecked } from './acts.ts';
import { encodeSetRequest } from './client.ts';
import { LedgerError } from './errors.ts';
import { followTo } from './follow.ts';
import { encodeDead, type DeadState } from './format/dead-value.ts';
import { deadKey, formatKey } from './format/keys.ts';
import type { Ledger } from './ledger.ts';
import { readLetters, type LedgerLetter } from './letters.ts';

/** An act on a dead letter: its next state, provided that nobody acted on it since it was read. */
export type LetterChange = { readonly letter: LedgerLetter; readonly next: DeadState };

export type ChangedLetters = {
  /** The new revisions. */
  readonly made: readonly LedgerLetter[];
  /** As somebody else's act left them; nothing was changed. */
  readonly lost: readonly LedgerLetter[];
};

/** Entries of one transaction have as many preconditions. */
export const maxLetterChanges = 500;
/** Refusals that nothing explains, before it gives up. */
const maxUnexplained = 3;

/**
 * Makes these acts in one transaction, each by compare-and-set on the revision that was read. Those whose letter
 * somebody else changed first are `lost`, and the others are made all the same. A write whose outcome is unknown is
 * looked for in the ledger before anything is sent again, so an act is made once. `retry` bounds the waiting.
 */
export const changeLetters = async (
  ledger: Ledger,
  changes: readonly LetterChange[],
  retry: Retrying,
  signal: AbortSignal,
): Promise<ChangedLetters> => {
  const made: LedgerLetter[] = [];
  const lost: LedgerLetter[] = [];
  let rest = changes;
  for (let unexplained = 0; rest.length > 0;) {
    try {
      const tx = await write(ledger, rest);
      return { made: [...made, ...rest.map(({ letter, next }) => ({ at: letter.at, tx, dead: next }))], lost };
    } catch (error) {
      if (!(error instanceof LedgerError) || !mayBeLookedFor(error)) throw error;
      const looked = await retry('reading dead letters', () => look(ledger, rest), signal);
      made.push(...looked.made);
      lost.push(...looked.lost);
      if (looked.rest.length === rest.length) unexplained += 1;
      if (unexplained > maxUnexplained) throw contended(error);
      rest = looked.rest;
    }
  }
  return { made, lost };
};

/** Refused: somebody was first, or we were. Anything else that may be retried: perhaps it was written. */
const mayBeLookedFor = (error: LedgerError): boolean => error.outcome === 'refused' || error.disposition === 'retry';

const write = async (ledger: Ledger, changes: readonly LetterChange[]): Promise<bigint> => {
  await ledger.ready();
  const entries = changes.map(({ letter, next }) => ({
    key: deadKey(letter.at),
    value: encodeDead(next),
    notModifiedAfter: letter.tx,
  }));
  const header = await writeChecked(ledger.client, entries);
  await followTo(ledger, header);
  return header.id;
};

type Looked = ChangedLetters & { readonly rest: readonly LetterChange[] };

const look = async (ledger: Ledger, changes: readonly LetterChange[]): Promise<Looked> => {
  await ledger.ready();
  const now = new Map(
    (
      await readLetters(
        ledger,
        changes.map(({ letter }) => letter.at),
      )
    ).map((letter) => [deadKey(letter.at), letter]),
  );
  const made: LedgerLetter[] = [];
  const lost: LedgerLetter[] = [];
  const rest: LetterChange[] = [];
  for (const change of changes) {
    const key = deadKey(change.letter.at);
    const standing = now.get(key);
    if (standing === undefined) throw new PipelineError('LEDGER_KEY_DELETED', `key ${key} was deleted`);
    if (standing.tx === change.letter.tx) rest.push(change);
    else if (encodeDead(standing.dead).equals(encodeDead(change.next))) made.push(standing);
    else lost.push(standing);
  }
  return { made, lost, rest };
};

const contended = (cause: LedgerError) =>
  new PipelineError('LEDGER_CONTENDED', 'the ledger refused acts on dead letters and nothing explains it', { cause });

/**
 * Rejects with LEDGER_PERMISSION if this user may not write, before anything is changed anywhere: it asks to write what
 * stands there already, which no ledger takes under the condition that its format is missing.
 */
export const requireWriteRight = async (
  ledger: Ledger,
  standing: { readonly key: string; readonly value: Buffer },
): Promise<void> => {
  await ledger.ready();
  const request = encodeSetRequest({
    entries: [{ key: Buffer.from(standing.key), value: standing.value }],
    preconditions: [{ key: Buffer.from(formatKey), kind: 'must-not-exist' }],
  });
  try {
    await ledger.client.set(request);
  } catch (error) {
    if (error instanceof LedgerError && error.outcome === 'refused') return;
    throw error;
  }
  throw new PipelineError('LEDGER_FOREIGN', 'the ledger took a write although its format was to be missing');
};
