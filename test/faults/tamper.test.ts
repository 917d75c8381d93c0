import { describe, expect, test } from '@jest/globals';
import { attempts } from '../support/tamper-attempts.ts';
import { countFlips, flipAttempts } from '../support/tamper-flips.ts';
import { tamperedSite } from '../support/tampered-site.ts';
import { tried, unfound } from '../support/tampering.ts';

// Every attempt of docs/tamper.md, each as often as the page says.

const site = tamperedSite();

describe('what was handed out, bit by bit:', () => {
  test.each(flipAttempts)(
    '$name',
    async (attempt) => {
      const { tries, detected, missed, wholeFiles } = await countFlips(site(), attempt);
      expect(missed).toEqual([]);
      expect([tries, detected]).toEqual([attempt.tries, attempt.tries]);
      expect(wholeFiles).toBeGreaterThan(0);
    },
    1_200_000,
  );
});

describe('tampering with the files of immudb:', () => {
  test.each(attempts)(
    '$name',
    async (attempt) => {
      for (let turn = 0; turn < attempt.tries; turn += 1) {
        expect(unfound(await tried(site(), attempt, turn), attempt)).toEqual([]);
      }
    },
    180_000,
  );
});
