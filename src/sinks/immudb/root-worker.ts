/** The thread of root-thread.ts: hashes requests in memory that it shares with who sends them. */
import { parentPort } from 'node:worker_threads';
import { rootOfRequest } from './request-root.ts';

/** Bytes `at` to `at + length` of the shared memory are the request. */
export type RootTask = {
  readonly id: number;
  readonly memory: SharedArrayBuffer;
  readonly at: number;
  readonly length: number;
};
export type RootDone = { readonly id: number; readonly entries: number; readonly root: Uint8Array };

parentPort?.on('message', ({ id, memory, at, length }: RootTask) => {
  const done: RootDone = { id, ...rootOfRequest(Buffer.from(memory, at, length)) };
  parentPort?.postMessage(done);
});
