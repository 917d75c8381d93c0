import { extname } from 'node:path';
import { startThread } from '../thread.ts';
import { type RootOf, rootOfRequest, type SentRoot } from './request-root.ts';
import type { RootTask } from './root-worker.ts';

/** A thread that hashes what is sent, beside the one that composes what comes next. */
export type RootThread = {
  /** The request must lie in shared memory, as those of `transaction()` do. */
  readonly rootOf: RootOf;
  /** Idempotent. What is still asked for rejects. */
  close(): Promise<void>;
};

/** A request of 32 MB does not enter it. */
const heap = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };
const file = new URL(`./root-worker${extname(import.meta.url)}`, import.meta.url);

/** Smaller requests are hashed where they were composed: to wake the thread costs more, and who waits is idle then. */
const leastBytes = 48 * 1024;

export const rootThread = (): RootThread => {
  const thread = startThread<RootTask, SentRoot>(file, 'hashes', heap);
  return {
    rootOf: async (request) => {
      if (request.length < leastBytes) return rootOfRequest(request);
      const { buffer: memory, byteOffset: at, length } = request;
      if (!(memory instanceof SharedArrayBuffer)) throw new TypeError('a request to hash that is not in shared memory');
      return await thread.ask({ memory, at, length });
    },
    close: thread.close,
  };
};
