import type { AuditEvent } from '../audit-event.ts';
import type { Random } from '../random.ts';
import { analysis, approval } from './analysis.ts';
import { arrival, processing } from './arrival.ts';
import { conclusion, type Failure, verification } from './conclusion.ts';
import { execution } from './execution.ts';
import { type Teller, teller } from './teller.ts';

const action = (story: Teller): Failure | null => {
  if (analysis(story) && !approval(story)) return { phase: 'Approving', reason: 'Rejected' };
  const reason = execution(story);
  if (reason !== null) return { phase: 'Executing', reason };
  verification(story);
  return null;
};

/**
 * One remediation from its signal to its end, told by the seven services: some twenty-five events of about 1 KB in the
 * order of their times, which share one correlation id. `startMs` is in Unix milliseconds; the story takes some
 * minutes of its own time. The same random numbers and start tell the same story, ids included.
 */
export const story = (random: Random, startMs: number): readonly AuditEvent[] => {
  const telling = teller(random, startMs);
  const beganUs = telling.nowUs();
  arrival(telling);
  telling.pass(50, 500);
  processing(telling);
  conclusion(telling, action(telling), beganUs);
  return telling.told;
};
