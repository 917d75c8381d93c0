/**
 * Runs an operation until it succeeds, waiting between tries, as long as its errors have the disposition `retry`. Any
 * other error passes through at once. Rejects with the signal's reason when that ends the waiting.
 */
export type Retrying = <T>(doing: string, operation: () => Promise<T>, signal: AbortSignal) => Promise<T>;
