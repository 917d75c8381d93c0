/**
 * One stack for many test files. `npm test` starts it once for a suite and names the file of its addresses in
 * IMMUTRAIL_TEST_STACK; without that (one file run by hand) the first call starts one for this file alone.
 * It has Kafka with the secured listener, immudb without TLS, registry and toxiproxy.
 *
 * Nobody may stop, kill or pause shared servers: a test that needs that starts its own with `startStack`.
 * Each open immudb database costs 40 to 115 MB: unload or delete what a test created.
 */
import { afterAll } from '@jest/globals';
import { startStack } from '../../stack/start.ts';
import type { Stack } from '../../stack/stack.ts';
import { readSharedStack, sharedStackOptions } from './shared-stack-file.ts';

let own: Promise<Stack> | undefined;

/** Call it in `beforeAll`, with time enough for a start (120 s). Calling `stop` on it is allowed and not needed. */
export const sharedStack = async (): Promise<Stack> => {
  const file = process.env['IMMUTRAIL_TEST_STACK'];
  if (file !== undefined) return readSharedStack(file);
  own ??= startStack(sharedStackOptions);
  return own;
};

afterAll(async () => {
  await (await own)?.stop();
}, 60_000);
