import { checkOf, type Check, type Problem } from './check.ts';
import { eventTypes, renamedTypes } from './services.ts';

/** Checks by type, old names too, each made once. */
const checks: ReadonlyMap<string, Check> = (() => {
  const made = new Map<string, Check>();
  for (const [type, { payload }] of eventTypes) made.set(type, checkOf(payload));
  for (const [old, type] of renamedTypes) made.set(old, made.get(type) ?? checkOf({ kind: 'document' }));
  return made;
})();

/**
 * All that is wrong with the payload of an event. Categories and types are an open vocabulary: an unknown type has no
 * rules, and neither have unknown fields of a known one. The type that a payload repeats must be the event's own.
 */
export const payloadProblems = (eventType: string, data: Readonly<Record<string, unknown>>): readonly Problem[] => {
  const check = checks.get(eventType);
  if (check === undefined) return none;
  const problems: Problem[] = [];
  const repeated = data['event_type'];
  if (repeated !== undefined && repeated !== null && repeated !== eventType) {
    problems.push({ at: 'event_type', problem: 'must be the event_type of the envelope' });
  }
  check(data, problems);
  return problems;
};

const none: readonly Problem[] = [];

/** The problems as one sentence for the operator, the first few of them. */
export const problemsText = (problems: readonly Problem[]): string => {
  const told = problems.slice(0, maxTold).map(({ at, problem }) => `event_data.${at} ${problem}`);
  const more = problems.length - told.length;
  return told.join('; ') + (more > 0 ? `; and ${more} more` : '');
};

const maxTold = 5;
