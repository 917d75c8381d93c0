import { expect, test } from '@jest/globals';
import { rejectionTable } from '../../../src/schemas/rejection.ts';

test.each(Object.entries(rejectionTable))('%s says what it means and what to do', (code, { meaning, advice }) => {
  expect(code).toMatch(/^[A-Z0-9]+(?:_[A-Z0-9]+)+$/);
  expect(meaning).toMatch(/^\S[^]*\.$/);
  expect(advice).toMatch(/^\S[^]*\.$/);
});
