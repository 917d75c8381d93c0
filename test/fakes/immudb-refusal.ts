import { status } from '@grpc/grpc-js';

/** An answer of immudb that is an error: gRPC status and its exact message. */
export type Refusal = Error & { readonly code: number; readonly details: string };

export const refusal = (code: number, details: string): Refusal => Object.assign(new Error(details), { code, details });

/** Most of immudb's errors have no status of their own. */
export const bare = (details: string): Refusal => refusal(status.UNKNOWN, details);
export const illegal = (details: string): Refusal => refusal(status.INVALID_ARGUMENT, details);
export const sessionNotFound = (): Refusal => refusal(status.PERMISSION_DENIED, 'session not found');

export const isRefusal = (error: unknown): error is Refusal =>
  error instanceof Error && 'code' in error && 'details' in error;
