import { createReadStream, createWriteStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { PipelineError } from '../errors.ts';
import { letterId, parseLetterId } from './letter-id.ts';
import type { SavedLetter, Selection } from './select.ts';

/** A selection in a file: one line of JSON that says of which ledger, then one for each letter. */

/** Writes letters as they are met; `close` resolves when the file has them. The file must not exist yet. */
export const selectionWriter = (path: string, ledgerId: string) => {
  const stream = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  const failed = new Promise<never>((_, reject) => stream.on('error', (cause) => reject(unusable(path, cause))));
  failed.catch(() => undefined);
  stream.write(`${JSON.stringify({ immutrail: 'selection', v: 1, ledger_id: ledgerId })}\n`);
  return {
    add: ({ at, tx }: SavedLetter): void => {
      stream.write(`${JSON.stringify({ id: letterId(at), tx: String(tx) })}\n`);
    },
    close: async (): Promise<void> => {
      stream.end();
      await Promise.race([finished(stream), failed]);
    },
  };
};

/** Reads as it is used, line by line. Throws USAGE for what is no selection of this ledger. */
export const savedSelection = (path: string, ledgerId: string): Selection & { kind: 'saved' } => ({
  kind: 'saved',
  name: basename(path),
  letters: lettersOf(path, ledgerId),
});

async function* lettersOf(path: string, ledgerId: string): AsyncGenerator<SavedLetter, void> {
  const stream = createReadStream(path);
  const failure = new Promise<never>((_, reject) => stream.on('error', (cause) => reject(unusable(path, cause))));
  failure.catch(() => undefined);
  const lines = createInterface({ input: stream, crlfDelay: Infinity })[Symbol.asyncIterator]();
  let number = 0;
  for (;;) {
    const { value, done } = await Promise.race([lines.next(), failure]);
    if (done === true) break;
    number += 1;
    const line = objectOf(path, number, value);
    if (number === 1) requireHead(path, line, ledgerId);
    else yield letterOf(path, number, line);
  }
  if (number === 0) throw unusable(path, new Error('it is empty'));
}

type Line = Readonly<Record<string, unknown>>;

const objectOf = (path: string, number: number, text: string): Line => {
  try {
    return JSON.parse(text) as Line;
  } catch {
    throw unusable(path, new Error(`line ${number} is no JSON`));
  }
};

const requireHead = (path: string, line: Line, ledgerId: string): void => {
  if (line['immutrail'] !== 'selection' || line['v'] !== 1) throw unusable(path, new Error('it is no saved selection'));
  if (line['ledger_id'] !== ledgerId) throw unusable(path, new Error('it is of another ledger'));
};

const letterOf = (path: string, number: number, { id, tx }: Line): SavedLetter => {
  if (typeof id !== 'string' || typeof tx !== 'string' || !/^\d{1,18}$/.test(tx)) {
    throw unusable(path, new Error(`line ${number} is no letter`));
  }
  return { at: parseLetterId(id), tx: BigInt(tx) };
};

const unusable = (path: string, cause: Error) =>
  new PipelineError('USAGE', `the selection ${path}: ${cause.message}`, { cause });
