import type { Output } from './output.ts';

type Watched = Pick<Output, 'err' | 'isWatched'>;

/** A line on the terminal that is written over as work goes on; nothing at all where nobody watches. */
export const statusLine = (output: Watched): ((line: string) => void) => {
  const clearLine = '\r\u001b[2K';
  let shown = '';
  return (line) => {
    if (!output.isWatched || line === shown) return;
    output.err(clearLine + line);
    shown = line;
  };
};

export const progress = (output: Watched, verb: string) => {
  const show = statusLine(output);
  return {
    onProgress: (done: number, all: number): void =>
      show(`${verb} ${done} of ${all} (${Math.floor((100 * done) / Math.max(1, all))} %)`),
    /** Takes the line away, so that what follows begins on a clean one. Idempotent. */
    end: (): void => show(''),
  };
};
