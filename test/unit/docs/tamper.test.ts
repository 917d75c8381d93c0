import { expect, test } from '@jest/globals';
import { attempts } from '../../support/tampering.ts';
import { pageOf } from './pages.ts';

const page = pageOf('docs/tamper.md');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (attempt|---)/.test(line))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

test('docs/tamper.md has every attempt that is made, who must find it, and how often it is tried', () => {
  const due = attempts.map(({ name, found, tries }) => {
    const tools = Object.keys(found).sort();
    const detected = tools.length === 0 ? '0' : String(tries);
    return [name, tools.length === 0 ? 'none, see below' : tools.join(', '), String(tries), detected];
  });
  expect(rows).toEqual(due);
});
