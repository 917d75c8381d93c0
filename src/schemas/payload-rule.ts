import { payloadProblems, problemsText } from './catalogue/payloads.ts';

/** What is done about a payload that is not what the catalogue says of its type. */
export type PayloadCheck = 'enforce' | 'warn' | 'off';

/**
 * Judges the payload of an event that is right otherwise; null: nothing is to be said, which is so wherever the
 * catalogue finds nothing wrong (such events are not judged again, see json/direct.ts).
 */
export type JudgePayload = (
  eventType: string,
  data: Readonly<Record<string, unknown>>,
) => { readonly isRefused: boolean; readonly message: string } | null;

export const payloadRule = (check: PayloadCheck): JudgePayload => {
  if (check === 'off') return () => null;
  const isRefused = check === 'enforce';
  return (eventType, data) => {
    const problems = payloadProblems(eventType, data);
    return problems.length === 0 ? null : { isRefused, message: problemsText(problems) };
  };
};
