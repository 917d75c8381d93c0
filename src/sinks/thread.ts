import { parentPort, Worker, type ResourceLimits, type Transferable } from 'node:worker_threads';
import { PipelineError } from '../errors.ts';

/** A thread that answers, with a heap of its own. It keeps no process alive. */
export type Thread<Task, Answer> = {
  /** `handedOver` belongs to the thread from then on. Rejects with UNEXPECTED once the thread has ended. */
  ask(task: Task, handedOver?: readonly Transferable[]): Promise<Answer>;
  /** Idempotent. What is still asked for rejects. */
  close(): Promise<void>;
};

type Asked<Task> = { readonly id: number; readonly task: Task };
type Answered<Answer> = { readonly id: number; readonly answer: Answer };

/** `file` calls `answerTasks`; `does` ends the sentence "the thread that …". It gets no environment. */
export const startThread = <Task, Answer>(
  file: URL,
  does: string,
  resourceLimits: ResourceLimits,
): Thread<Task, Answer> => {
  const worker = new Worker(file, { resourceLimits, env: {} });
  worker.unref();
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let last = 0;
  let ended: PipelineError | null = null;

  const fail = (cause: unknown) => {
    ended ??= new PipelineError('UNEXPECTED', `the thread that ${does} has ended`, { cause });
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on('message', ({ id, answer }: Answered<Answer>) => {
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  worker.on('error', fail);
  worker.on('exit', fail);

  return {
    ask: async (task, handedOver = []) => {
      if (ended !== null) throw ended;
      const answer = Promise.withResolvers<Answer>();
      const asked: Asked<Task> = { id: (last += 1), task };
      waiting.set(asked.id, answer);
      worker.postMessage(asked, handedOver);
      return await answer.promise;
    },
    close: async () => {
      await worker.terminate();
    },
  };
};

/** In the thread's own file: `work` answers each task. What it throws ends the thread. */
export const answerTasks = (work: (task: never) => unknown): void => {
  parentPort?.on('message', ({ id, task }: Asked<never>) => {
    const answered: Answered<unknown> = { id, answer: work(task) };
    parentPort?.postMessage(answered);
  });
};
