import { describe, expect, test } from '@jest/globals';
import { attempts } from '../support/tamper-attempts.ts';
import { countFlips, flipAttempts } from '../support/tamper-flips.ts';
import { tamperedSite } from '../support/tampered-site.ts';
import { tried, unfound } from '../support/tampering.ts';

// Some attempts of docs/tamper.md; `npm test -- faults/tamper` makes all of them.

const site = tamperedSite();

/** A prime, so that all bits of a byte come up. */
const stride = 97;

describe('what was handed out, some of its bits:', () => {
  test.each(flipAttempts)(
    '$name',
    async (attempt) => {
      const { tries, missed } = await countFlips(site(), attempt, stride);
      expect(missed).toEqual([]);
      expect(tries).toBeGreaterThanOrEqual(Math.floor(attempt.tries / stride));
    },
    120_000,
  );
});

describe('tampering with the files of immudb:', () => {
  test.each(attempts.filter(({ isSample }) => isSample))(
    '$name',
    async (attempt) => {
      expect(unfound(await tried(site(), attempt, 0), attempt)).toEqual([]);
    },
    180_000,
  );
});
