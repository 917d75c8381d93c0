/** The thread of judge-thread.ts: judges transactions that were handed over to it. */
import { parentPort } from 'node:worker_threads';
import { judge, type Verdict } from './judge.ts';
import { unpackCase, type PackedCase } from './packed-case.ts';

export type JudgeTask = { readonly id: number; readonly packed: PackedCase };
export type JudgeDone = { readonly id: number; readonly verdict: Verdict };

parentPort?.on('message', ({ id, packed }: JudgeTask) => {
  const done: JudgeDone = { id, verdict: judge(unpackCase(packed)) };
  parentPort?.postMessage(done);
});
