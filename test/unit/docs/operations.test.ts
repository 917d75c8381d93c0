import { describe, expect, test } from '@jest/globals';
import { settings } from '../../../src/config/settings.ts';
import { errorTable, type ErrorEntry } from '../../../src/errors.ts';
import { metricTable } from '../../../src/telemetry/metric-table.ts';
import { named, pageOf } from './pages.ts';

const page = pageOf('docs/operations.md');
const code = named(page, /`([^`]+)`/g);

describe('docs/operations.md', () => {
  test('every metric it names exists', () => {
    const metrics = code.filter((word) => /^(immutrail|kafka)_[a-z_]+$/.test(word));
    expect(metrics.length).toBeGreaterThan(8);
    expect(metrics.filter((name) => !Object.hasOwn(metricTable, name))).toEqual([]);
  });

  test('every error it names exists', () => {
    const errors = [...code, ...named(page, /^## ([A-Z_]+)$/gm)].filter((word) => /^[A-Z]+(_[A-Z]+)*$/.test(word));
    expect(errors.filter((name) => !Object.hasOwn(errorTable, name))).toEqual([]);
  });

  test('its table has every error that halts, with its exit code', () => {
    const rows = [...page.matchAll(/^\| (\d+) +\| `([A-Z_]+)` +\|/gm)].map(([, exit, name]) => [name, Number(exit)]);
    const halts = Object.entries<ErrorEntry>(errorTable).filter(([, { disposition }]) => disposition === 'halt');
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(halts.map(([name, { exitCode }]) => [name, exitCode])));
  });

  test('every setting it names exists', () => {
    const paths = new Set(settings.flatMap(({ path }) => path.map((_, depth) => path.slice(0, depth + 1).join('.'))));
    const groups = new Set(settings.map(({ path }) => path[0]));
    const written = code.filter((word) => /^[a-z]+(\.[A-Za-z]+)+$/.test(word) && groups.has(word.split('.')[0] ?? ''));
    expect(written.length).toBeGreaterThan(10);
    expect(written.filter((name) => !paths.has(name))).toEqual([]);
  });
});
