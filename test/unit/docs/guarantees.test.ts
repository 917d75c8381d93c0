import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isTest, testsIn } from './named-tests.ts';
import { pageOf, root } from './pages.ts';

const page = pageOf('docs/guarantees.md');
const sections = page.split(/^## /m).slice(1);
const promises = sections.filter((section) => /^\d+\. /.test(section));
describe('docs/guarantees.md', () => {
  test('its promises are numbered, and each names a test', () => {
    expect(promises.length).toBeGreaterThan(10);
    promises.forEach((promise, index) => {
      expect(promise).toMatch(new RegExp(`^${index + 1}\\. `));
      expect([index + 1, testsIn(promise).length]).not.toEqual([index + 1, 0]);
    });
  });

  test.each(testsIn(page))('$file: $name', ({ file, name }) => {
    expect(existsSync(join(root, file))).toBe(true);
    expect(isTest(readFileSync(join(root, file), 'utf8'), name)).toBe(true);
  });

  test('no other test file is named than those that were looked at', () => {
    const all = page.match(/`test\/[^`]+`/g) ?? [];
    expect(all).toHaveLength(testsIn(page).length);
  });
});

test('a name in a comment, or of a test that is skipped, is no test', () => {
  expect(isTest("test('it holds', () => {})", 'it holds')).toBe(true);
  expect(isTest("test.each([1, f(2)])('it holds', () => {})", 'it holds')).toBe(true);
  expect(isTest("// 'it holds'\ntest('another', () => {})", 'it holds')).toBe(false);
  expect(isTest("test.skip('it holds', () => {})", 'it holds')).toBe(false);
});
