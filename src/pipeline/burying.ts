import type { DeadLetter, DeadLetters } from '../sinks/dead-letters.ts';
import type { Judged, Verdict } from './judge.ts';
import type { Retrying } from './retrying.ts';

/** Resolves when every record with a verdict of death has its copy on the dead-letter topic. No record is sent twice. */
export type Bury = (judged: readonly Judged[], verdicts: readonly Verdict[], over: AbortSignal) => Promise<void>;

export const burying = (deadLetters: DeadLetters, retrying: Retrying): Bury => {
  return async (judged, verdicts, over) => {
    const buried: Judged[] = [];
    const letters: DeadLetter[] = [];
    judged.forEach((one, index) => {
      const verdict = verdicts[index];
      if (verdict?.kind !== 'dead' || one.deadAt !== null) return;
      buried.push(one);
      letters.push({ record: one.record, code: verdict.code, message: verdict.message });
    });
    if (letters.length === 0) return;
    const places = await retrying('writing dead letters', () => deadLetters.send(letters), over);
    buried.forEach((one, index) => (one.deadAt = places[index] ?? null));
  };
};
