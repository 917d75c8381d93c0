import { PipelineError } from '../errors.ts';
import { rejectionTable } from '../schemas/rejection.ts';
import { deadKey, type Coordinates } from '../sinks/immudb/format/keys.ts';
import type { Log } from '../sinks/immudb/ledger.ts';
import { readLetters, scanLetters, type LedgerLetter } from '../sinks/immudb/letters.ts';
import type { DeskPorts } from './desk-ports.ts';
import { ledgerTest, recordTest, type LetterFilter } from './filter.ts';
import { findOriginal, type FoundLetter } from './found-letter.ts';
import { letterId } from './letter-id.ts';

/** Dead letters that are meant: by conditions, by their ids, or as they were when they were looked at and saved. */
export type Selection =
  | { readonly kind: 'filter'; readonly filter: LetterFilter }
  | { readonly kind: 'ids'; readonly ids: readonly Coordinates[] }
  | { readonly kind: 'saved'; readonly name: string; readonly letters: AsyncIterable<SavedLetter> };

/** A letter of a saved selection, and the transaction of the revision that was looked at. */
export type SavedLetter = { readonly at: Coordinates; readonly tx: bigint };

/** `seenTx`: the revision that was selected; another one now means that somebody acted on it since. */
export type SelectedLetter = FoundLetter & { readonly seenTx?: bigint };

const readAtOnce = 200;

type Ports = Pick<DeskPorts, 'ledger' | 'logs' | 'deadLetterLog' | 'read'>;

/**
 * The letters of a selection, in the order of log, partition and offset (saved ones: as saved), one page of the ledger
 * and one fetch of the topic in memory. `snapshot` leaves out what was written after that transaction, so that a run
 * never meets what it made itself. Throws USAGE for conditions that cannot be met by anything, and for unknown ids.
 */
export const select = (ports: Ports, selection: Selection, snapshot?: bigint): AsyncGenerator<SelectedLetter, void> => {
  if (selection.kind === 'filter') return filtered(ports, selection.filter, snapshot);
  return selection.kind === 'ids' ? named(ports, selection.ids) : saved(ports, selection.letters);
};

async function* filtered(
  ports: Ports,
  filter: LetterFilter,
  snapshot: bigint | undefined,
): AsyncGenerator<SelectedLetter, void> {
  requireFilter(filter, ports.logs);
  const [isMeant, isMeantByRecord] = [ledgerTest(filter), recordTest(filter)];
  const { partition } = filter;
  for (const log of ports.logs.filter(({ topic }) => filter.topic === undefined || topic === filter.topic)) {
    const range = {
      log: log.number,
      ...(partition !== undefined && { partition }),
      ...(filter.fromOffset !== undefined && { from: BigInt(filter.fromOffset) }),
      ...(filter.toOffset !== undefined && { to: BigInt(filter.toOffset) + 1n }),
    };
    for await (const page of scanLetters(ports.ledger, range)) {
      for (const letter of page) {
        if ((snapshot !== undefined && letter.tx > snapshot) || !isMeant(letter)) continue;
        const found = await foundLetter(ports, letter, log.topic);
        if (isMeantByRecord(found)) yield found;
      }
    }
  }
}

async function* named(ports: Ports, ids: readonly Coordinates[]): AsyncGenerator<SelectedLetter, void> {
  const letters = await readLetters(ports.ledger, ids);
  const known = new Set(letters.map(({ at }) => deadKey(at)));
  const unknown = ids.filter((at) => !known.has(deadKey(at)));
  if (unknown.length > 0)
    throw new PipelineError('DEAD_LETTER_UNKNOWN', `no dead letter ${unknown.map(letterId).join(', ')}`);
  for (const letter of letters) yield await foundLetter(ports, letter, topicOf(ports.logs, letter));
}

async function* saved(ports: Ports, letters: AsyncIterable<SavedLetter>): AsyncGenerator<SelectedLetter, void> {
  for await (const chunk of chunksOf(letters)) {
    const seen = new Map(chunk.map(({ at, tx }) => [deadKey(at), tx]));
    const now = await readLetters(
      ports.ledger,
      chunk.map(({ at }) => at),
    );
    if (now.length < chunk.length) {
      throw new PipelineError(
        'DEAD_LETTER_UNKNOWN',
        'the saved selection names dead letters that this ledger does not have',
      );
    }
    for (const letter of now) {
      const found = await foundLetter(ports, letter, topicOf(ports.logs, letter));
      yield { ...found, seenTx: seen.get(deadKey(letter.at)) ?? 0n };
    }
  }
}

async function* chunksOf(letters: AsyncIterable<SavedLetter>): AsyncGenerator<SavedLetter[], void> {
  let chunk: SavedLetter[] = [];
  for await (const letter of letters) {
    chunk.push(letter);
    if (chunk.length < readAtOnce) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

const foundLetter = async (ports: Ports, letter: LedgerLetter, topic: string): Promise<FoundLetter> => ({
  ...letter,
  topic,
  original: await findOriginal(letter, topic, ports.deadLetterLog.number, ports.read),
});

const topicOf = (logs: readonly Log[], { at }: LedgerLetter): string =>
  logs.find(({ number }) => number === at.log)?.topic ?? '';

/** Conditions that nothing can meet are a mistake of whoever typed them. */
const requireFilter = (filter: LetterFilter, logs: readonly Log[]): void => {
  const wrong = faultOf(filter, logs);
  if (wrong !== null) throw new PipelineError('USAGE', wrong);
};

const faultOf = ({ codes, topic, partition, ...filter }: LetterFilter, logs: readonly Log[]): string | null => {
  const unknown = codes?.find((code) => !Object.hasOwn(rejectionTable, code));
  if (unknown !== undefined) return `there is no code ${unknown}; docs/errors.md has them all`;
  const topics = [...new Set(logs.map((log) => log.topic))];
  if (topic !== undefined && !topics.includes(topic))
    return `the ledger knows no topic ${topic}, but ${topics.join(', ')}`;
  const { fromOffset, toOffset, since, until } = filter;
  if ((fromOffset !== undefined || toOffset !== undefined) && partition === undefined)
    return 'offsets mean something within a partition only: name it, too';
  if (fromOffset !== undefined && toOffset !== undefined && BigInt(fromOffset) > BigInt(toOffset))
    return `offsets from ${fromOffset} to ${toOffset} are none`;
  if (since !== undefined && until !== undefined && since >= until) return 'the time range is empty';
  return filter.text === '' ? 'the text to look for is empty' : null;
};
