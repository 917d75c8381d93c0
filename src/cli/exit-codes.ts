import { errorTable, type ErrorCode, type ErrorEntry } from '../errors.ts';

/** Every exit code with what it means; codes of errors come from their table. */
export const exitCodes = (): readonly { code: number; meaning: string }[] => {
  const rows = new Map<number, string[]>([[0, ['done']]]);
  for (const [name, { exitCode, disposition }] of Object.entries(errorTable) as [ErrorCode, ErrorEntry][]) {
    const meaning = { usage: 'usage', retry: 'gave up waiting', 'dead-letter': 'record', halt: name }[disposition];
    const known = rows.get(exitCode) ?? [];
    if (!known.includes(meaning)) rows.set(exitCode, [...known, meaning]);
  }
  return [...rows].sort(([a], [b]) => a - b).map(([code, meanings]) => ({ code, meaning: meanings.join(', ') }));
};

export const exitCodeText = (): string =>
  exitCodes()
    .map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`)
    .join('\n');
