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

// Every attempt of docs/tamper.md on the files of a real immudb, each as often as the page says.

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
  test.each(attempts)(
    '$name',
    async (attempt) => {
      for (let turn = 0; turn < attempt.tries; turn += 1) {
        expect(unfound(await tried(site, attempt, turn), attempt)).toEqual([]);
      }
    },
    180_000,
  );
});
