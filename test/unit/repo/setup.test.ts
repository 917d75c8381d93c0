import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { unknownVariables } from '../../../src/config/source.ts';
import { root } from '../docs/pages.ts';

test('what npm starts finds no variable that the configuration would refuse', () => {
  const told = execFileSync('node', ['scripts/setup.mjs', '-p', 'JSON.stringify(process.env)'], { cwd: root });
  const environment = JSON.parse(told.toString()) as Record<string, string>;
  expect(environment['STDIN_ENDS_WITH_PARENT']).toBe('1');
  expect(unknownVariables(environment).filter((line) => !line.startsWith('IMMUTRAIL_TEST_'))).toEqual([]);
});
