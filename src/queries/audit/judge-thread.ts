import { extname } from 'node:path';
import { startThread } from '../../sinks/thread.ts';
import { judgeHere, type Judge, type Verdict } from './judge.ts';
import type { JudgeTask } from './judge-worker.ts';
import { packCase } from './packed-case.ts';

/** A thread that looks at each transaction by itself, beside the one that reads and compares. */
export type JudgeThread = {
  readonly judge: Judge;
  /** Idempotent. What is still asked for rejects. */
  close(): Promise<void>;
};

/** The bytes of a transaction lie beside it. */
const heap = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 };
const file = new URL(`./judge-worker${extname(import.meta.url)}`, import.meta.url);

export const judgeThread = (): JudgeThread => {
  const thread = startThread<JudgeTask, Verdict>(file, 'judges transactions', heap);
  return {
    judge: async (tx, contents) => {
      const packed = packCase(tx, contents);
      return packed === null ? await judgeHere(tx, contents) : await thread.ask(packed, [packed.bytes]);
    },
    close: thread.close,
  };
};
