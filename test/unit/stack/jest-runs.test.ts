import { describe, expect, test } from '@jest/globals';
import { closingLine, sum, tallyOf, type JestReport } from '../../../scripts/jest-runs.ts';

const report = (over: Partial<JestReport> = {}): JestReport => ({
  numPassedTests: 3,
  numFailedTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults: [],
  ...over,
});

describe('what a run of jest amounts to', () => {
  test('passed tests', () => {
    expect(tallyOf(report(), true)).toEqual({ passed: 3, failed: 0, skipped: [] });
  });

  test('failed tests, and files that could not be loaded', () => {
    expect(tallyOf(report({ numFailedTests: 2, numRuntimeErrorTestSuites: 1 }), false).failed).toBe(3);
  });

  test('a jest that ended badly though every test passed is a failure', () => {
    expect(tallyOf(report(), false).failed).toBe(1);
  });

  test('a jest that left no report is a failure', () => {
    expect(tallyOf(undefined, true)).toEqual({ passed: 0, failed: 1, skipped: [] });
  });

  test('skipped tests are named and counted in the last line', () => {
    const assertionResults = [
      { status: 'passed', fullName: 'a' },
      { status: 'pending', fullName: 'b' },
      { status: 'todo', fullName: 'c' },
    ];
    const tally = sum([tallyOf(report({ testResults: [{ assertionResults }] }), true), tallyOf(report(), true)]);
    expect(tally.skipped).toEqual(['b', 'c']);
    expect(closingLine(tally)).toBe('6 passed, 0 failed, 2 skipped');
  });

  test('without skipped tests the last line is plain', () => {
    expect(closingLine(sum([tallyOf(report(), true)]))).toBe('3 passed, 0 failed');
  });
});
