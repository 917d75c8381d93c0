/** Never aborts: an act that has begun is finished, so none of its waits is cut. */
export const never: AbortSignal = new AbortController().signal;
