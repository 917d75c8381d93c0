/** The thread of judge-thread.ts: judges transactions that were handed over to it. */
import { answerTasks } from '../../sinks/thread.ts';
import { judge, type Verdict } from './judge.ts';
import { unpackCase, type PackedCase } from './packed-case.ts';

/** A transaction, packed; its bytes are handed over. */
export type JudgeTask = PackedCase;

answerTasks((packed: JudgeTask): Verdict => judge(unpackCase(packed)));
