/** The thread of root-thread.ts: hashes requests in memory that it shares with who sends them. */
import { answerTasks } from '../thread.ts';
import { rootOfRequest, type SentRoot } from './request-root.ts';

/** Bytes `at` to `at + length` of the shared memory are the request. */
export type RootTask = { readonly memory: SharedArrayBuffer; readonly at: number; readonly length: number };

answerTasks(({ memory, at, length }: RootTask): SentRoot => rootOfRequest(Buffer.from(memory, at, length)));
