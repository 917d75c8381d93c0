import { LedgerError } from './errors.ts';

/**
 * Reads `total` items page by page. A page whose answer is larger than a message may be is halved, down to one item;
 * only what is too large alone rejects (LEDGER_ANSWER_TOO_LARGE). `read` is told where the page begins and how many
 * items to bring at most, and says whether more follow.
 */
export const readPages = async <T>(
  total: number,
  largestPage: number,
  read: (at: number, count: number) => Promise<{ readonly items: readonly T[]; readonly more: boolean }>,
): Promise<T[]> => {
  const gathered: T[] = [];
  let page = largestPage;
  for (let at = 0; at < total;) {
    const count = Math.min(page, total - at);
    const answer = await read(at, count).catch(tooLargeFor(count));
    if (answer === 'too large') {
      page = Math.ceil(count / 2);
      continue;
    }
    for (const item of answer.items) gathered.push(item);
    if (!answer.more) break;
    at += count;
  }
  return gathered;
};

const tooLargeFor =
  (count: number) =>
  (error: unknown): 'too large' => {
    if (count > 1 && error instanceof LedgerError && error.code === 'LEDGER_ANSWER_TOO_LARGE') return 'too large';
    throw error;
  };
