import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startNativeStack } from '../../stack/native.ts';
import type { Stack } from '../../stack/stack.ts';
import {
  attempts,
  makeTamperedSite,
  tamperedStackOptions,
  tried,
  unfound,
  type TamperedSite,
} from '../support/tampering.ts';

// Some attempts of docs/tamper.md on the files of a real immudb; `npm test -- faults/tamper` makes all of them.

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

describe('tampering with the files of immudb:', () => {
  test.each(attempts.filter(({ isSample }) => isSample))(
    '$name',
    async (attempt) => {
      expect(unfound(await tried(site, attempt, 0), attempt)).toEqual([]);
    },
    180_000,
  );
});
