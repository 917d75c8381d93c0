import type { Commands } from '../cli/commands.ts';
import { gapAccept, getEvent, init, logReopen, status } from './acts.ts';
import { audit } from './audit.ts';
import { breakerHolds, breakerRelease } from './breaker.ts';
import { openDeadLetters } from './dead-letters.ts';
import { exportEvents } from './exports.ts';
import { makeKey, showKeys } from './keys.ts';
import { produce } from './produce.ts';
import { receipt, verify } from './receipts.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { schemaOf, schemas } from './schemas.ts';

/** The bodies of all commands. `run` ends with the signal. */
export const commandsOf = (version: string, signal: AbortSignal): Commands => ({
  init,
  status,
  getEvent,
  audit,
  logReopen,
  gapAccept,
  produce,
  schemas,
  schemaOf,
  makeKey,
  showKeys,
  receipt,
  verify,
  exportEvents,
  breaker: breakerHolds,
  breakerRelease,
  deadLetters: openDeadLetters,
  run: (config) => runUntilStopped(config, version, signal),
});
