import { afterAll, beforeAll } from '@jest/globals';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';
import { makeTamperedSite, tamperedStackOptions, type TamperedSite } from './tampering.ts';

/** A site on servers of its own for all tests of a file: what answers is there once the tests run. */
export const tamperedSite = (): (() => TamperedSite) => {
  let stack: Stack;
  let site: TamperedSite;
  beforeAll(async () => {
    stack = await startNativeStack(tamperedStackOptions);
    site = await makeTamperedSite(stack);
  }, 300_000);
  afterAll(async () => {
    await site.close();
    await stack.stop();
  });
  return () => site;
};
