import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** Log lines go through src/telemetry.ts; only adapters of libraries that log by themselves take this. */
export type Log = Logger;

export type LogOptions = {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  readonly format: 'json' | 'pretty';
  readonly colour?: boolean;
  /** Default: standard error, so that what a command prints can be piped. */
  readonly destination?: DestinationStream;
};

const standardError = 2;
const deepestCause = 5;

/**
 * An error as a log line shows it. Only what an error is by definition: libraries hang requests, headers and records
 * on their errors, and those may hold payloads or secrets.
 */
const describeError = (error: unknown, depth = 0): unknown => {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    type: error.name,
    ...((typeof code === 'string' || typeof code === 'number') && { code }),
    message: error.message,
    stack: error.stack,
    ...(error.cause !== undefined && depth < deepestCause && { cause: describeError(error.cause, depth + 1) }),
  };
};

/** Writes synchronously: the last line before an exit is never lost. */
export const createLog = ({ level, format, colour = false, destination }: LogOptions): Log =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => describeError(error) },
    },
    format === 'json'
      ? (destination ?? pino.destination({ dest: standardError, sync: true }))
      : pretty({ destination: destination ?? standardError, sync: true, colorize: colour }),
  );
