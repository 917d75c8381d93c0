import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PipelineError } from '../../errors.ts';
import { judgeHere, type Judge, type Verdict } from './judge.ts';
import type { JudgeDone, JudgeTask } from './judge-worker.ts';
import { packCase } from './packed-case.ts';

/** A thread that looks at each transaction by itself, beside the one that reads and compares. */
export type JudgeThread = {
  readonly judge: Judge;
  /** Idempotent. What is still asked for rejects. */
  close(): Promise<void>;
};

/** A heap of its own; the bytes of a transaction lie beside it. */
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 };

export const judgeThread = (): JudgeThread => {
  const worker = new Worker(new URL(`./judge-worker${extname(import.meta.url)}`, import.meta.url), {
    resourceLimits,
    env: {},
  });
  worker.unref();
  const asked = new Map<number, PromiseWithResolvers<Verdict>>();
  let last = 0;
  let ended: PipelineError | null = null;

  const fail = (cause: unknown) => {
    ended ??= new PipelineError('UNEXPECTED', 'the thread that judges transactions has ended', { cause });
    for (const { reject } of asked.values()) reject(ended);
    asked.clear();
  };
  worker.on('message', ({ id, verdict }: JudgeDone) => {
    asked.get(id)?.resolve(verdict);
    asked.delete(id);
  });
  worker.on('error', fail);
  worker.on('exit', fail);

  return {
    judge: async (tx, contents) => {
      if (ended !== null) throw ended;
      const packed = packCase(tx, contents);
      if (packed === null) return await judgeHere(tx, contents);
      const answer = Promise.withResolvers<Verdict>();
      const task: JudgeTask = { id: (last += 1), packed };
      asked.set(task.id, answer);
      worker.postMessage(task, [packed.bytes]);
      return await answer.promise;
    },
    close: async () => {
      await worker.terminate();
    },
  };
};
