import { expect, test } from '@jest/globals';
import { attempts } from '../../support/tamper-attempts.ts';
import { flipAttempts } from '../../support/tamper-flips.ts';
import { pageOf } from './pages.ts';

const page = pageOf('docs/tamper.md');
/** The rows of the table of the section that begins with this heading. */
const rowsOf = (heading: string) =>
  (page.split(`## ${heading}`)[1] ?? '')
    .split('\n## ')[0]
    ?.split('\n')
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
  expect(rowsOf('The files of immudb')).toEqual(due);
});

test('and every kind of file of which bits are changed', () => {
  const due = flipAttempts.map(({ name, tool, tries }) => [name, tool, String(tries), String(tries)]);
  expect(rowsOf('What was handed out, bit by bit')).toEqual(due);
});
