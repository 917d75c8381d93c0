import { ProofError } from '../../src/proofs/proof-error.ts';

/** Whether `verify` throws a ProofError; anything else that it throws is a bug and passes through. */
export const isRefused = (verify: () => unknown): boolean => {
  try {
    verify();
    return false;
  } catch (error) {
    if (error instanceof ProofError) return true;
    throw error;
  }
};

/** Where the changes were that `verify` took for good: to be compared with []. */
export const acceptedOf = <T>(
  changes: Iterable<{ readonly changed: T; readonly at: string }>,
  verify: (changed: T) => unknown,
): { readonly tried: number; readonly accepted: readonly string[] } => {
  const accepted: string[] = [];
  let tried = 0;
  for (const { changed, at } of changes) {
    tried++;
    if (!isRefused(() => verify(changed))) accepted.push(at);
  }
  return { tried, accepted };
};
