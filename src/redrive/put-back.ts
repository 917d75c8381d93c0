import type { DeadState } from '../sinks/immudb/format/dead-value.ts';
import { changeLetters, type ChangedLetters } from '../sinks/immudb/letter-acts.ts';
import { readLetters, scanLetters, type LedgerLetter } from '../sinks/immudb/letters.ts';
import type { DeskPorts } from './desk-ports.ts';

type Reason = { readonly by: string; readonly why: string };

/** What every state of one letter has in common. */
export const letterOf = ({ dead }: LedgerLetter) => ({
  code: dead.code,
  message: dead.message,
  sha256: dead.sha256,
  dlq: dead.dlq,
  ...(dead.eventId !== undefined && { eventId: dead.eventId }),
  ...(dead.correlationId !== undefined && { correlationId: dead.correlationId }),
  ...(dead.eventType !== undefined && { eventType: dead.eventType }),
  attempt: dead.attempt,
  ...(dead.of !== undefined && { of: dead.of }),
});

/** Opens letters again whose redrive is under way. A record that was sent all the same is then one like any other. */
export const putBack = (
  ports: Pick<DeskPorts, 'ledger' | 'retry'>,
  letters: readonly LedgerLetter[],
  { by, why }: Reason,
  signal: AbortSignal,
): Promise<ChangedLetters> => {
  const open = (letter: LedgerLetter): DeadState => ({ ...letterOf(letter), state: 'open', by, why });
  return changeLetters(
    ports.ledger,
    letters.map((letter) => ({ letter, next: open(letter) })),
    ports.retry,
    signal,
  );
};

/** Letters of a run that are not settled, page by page. */
export async function* lettersUnderWay(
  { ledger, logs }: Pick<DeskPorts, 'ledger' | 'logs'>,
  runId: string,
): AsyncGenerator<LedgerLetter[], void> {
  for (const { number } of logs) {
    for await (const page of scanLetters(ledger, { log: number })) {
      const own = page.filter(({ dead }) => dead.state === 'redriving' && dead.nonce === runId);
      if (own.length > 0) yield own;
    }
  }
}

const lookedAt = 50;

/** Who put one of these letters back since, if somebody did: the run that sent them is cancelled. */
export const cancellerOf = async (
  { ledger }: Pick<DeskPorts, 'ledger'>,
  letters: readonly LedgerLetter[],
): Promise<string | null> => {
  // A cancellation puts back all that is under way; a few of them tell.
  const some = letters.slice(-lookedAt).map(({ at }) => at);
  for (const { dead } of await readLetters(ledger, some))
    if (dead.state === 'open' && dead.by !== undefined) return dead.by;
  return null;
};
