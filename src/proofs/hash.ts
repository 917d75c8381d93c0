/** Synchronous SHA-256, passed in so that the proofs run anywhere: 32 fresh bytes for any input. */
export type Hash = (data: Uint8Array) => Uint8Array;

/** Length of every digest, in bytes. */
export const digestBytes = 32;
