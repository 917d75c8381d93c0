import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PipelineError } from '../../errors.ts';
import type { RootOf, SentRoot } from './request-root.ts';
import type { RootDone, RootTask } from './root-worker.ts';

/** A thread that hashes what is sent, beside the one that composes what comes next. */
export type RootThread = {
  /** The request must lie in shared memory, as those of `transaction()` do. */
  readonly rootOf: RootOf;
  /** Idempotent. What is still asked for rejects. */
  close(): Promise<void>;
};

/** A heap of its own, which a request of 32 MB does not enter. */
const resourceLimits = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 };

export const rootThread = (): RootThread => {
  const worker = new Worker(new URL(`./root-worker${extname(import.meta.url)}`, import.meta.url), {
    resourceLimits,
    env: {},
  });
  worker.unref();
  const asked = new Map<number, PromiseWithResolvers<SentRoot>>();
  let last = 0;
  let ended: PipelineError | null = null;

  const fail = (cause: unknown) => {
    ended ??= new PipelineError('UNEXPECTED', 'the thread that hashes has ended', { cause });
    for (const { reject } of asked.values()) reject(ended);
    asked.clear();
  };
  worker.on('message', ({ id, entries, root }: RootDone) => {
    asked.get(id)?.resolve({ entries, root });
    asked.delete(id);
  });
  worker.on('error', fail);
  worker.on('exit', fail);

  return {
    rootOf: async (request) => {
      if (ended !== null) throw ended;
      const { buffer: memory, byteOffset: at, length } = request;
      if (!(memory instanceof SharedArrayBuffer)) throw new TypeError('a request to hash that is not in shared memory');
      const answer = Promise.withResolvers<SentRoot>();
      const task: RootTask = { id: (last += 1), memory, at, length };
      asked.set(task.id, answer);
      worker.postMessage(task);
      return await answer.promise;
    },
    close: async () => {
      await worker.terminate();
    },
  };
};
