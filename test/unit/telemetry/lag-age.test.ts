import { expect, test } from '@jest/globals';
import { lagAge } from '../../../src/telemetry/lag-age.ts';

test('nothing waits: age 0, however long it stays so', () => {
  const age = lagAge();
  expect(age.read(0, 10n, 10n)).toBe(0);
  expect(age.read(3_600_000, 10n, 10n)).toBe(0);
  expect(age.size()).toBe(0);
});

test('the age is that of the oldest offset that waits, not of the newest', () => {
  const age = lagAge();
  age.read(0, 10n, 10n);
  expect(age.read(1000, 12n, 10n)).toBe(0);
  expect(age.read(2000, 15n, 10n)).toBe(1000);
  expect(age.read(3000, 15n, 11n)).toBe(2000);
  expect(age.read(4000, 15n, 12n)).toBe(2000);
  expect(age.read(5000, 15n, 15n)).toBe(0);
});

test('an event after a long idle time is as old as itself', () => {
  const age = lagAge();
  age.read(0, 10n, 10n);
  expect(age.read(3_600_000, 11n, 10n)).toBe(0);
  expect(age.read(3_601_000, 11n, 10n)).toBe(1000);
});

test('a log that starts again is judged anew', () => {
  const age = lagAge();
  age.read(0, 100n, 50n);
  expect(age.read(1000, 5n, 0n)).toBe(0);
});

test('a backlog of days keeps its age in bounded memory', () => {
  const age = lagAge();
  age.read(0, 1n, 0n);
  for (let at = 1; at <= 5000; at++) {
    age.read(at, BigInt(at + 1), 0n);
    expect(age.size()).toBeLessThanOrEqual(256);
  }
  expect(age.read(6000, 5001n, 0n)).toBe(6000);
});
