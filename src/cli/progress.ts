import type { Output } from './output.ts';

/** A line on the terminal that is written over as work goes on; nothing at all where nobody watches. */
export const progress = (output: Pick<Output, 'err' | 'isWatched'>, verb: string) => {
  const clearLine = '\r\u001b[2K';
  let shown = '';
  const show = (line: string): void => {
    if (!output.isWatched || line === shown) return;
    output.err(clearLine + line);
    shown = line;
  };
  return {
    onProgress: (done: number, all: number): void =>
      show(`${verb} ${done} of ${all} (${Math.floor((100 * done) / Math.max(1, all))} %)`),
    /** Takes the line away, so that what follows begins on a clean one. Idempotent. */
    end: (): void => show(''),
  };
};
