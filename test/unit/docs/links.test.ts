import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { documentedProgram } from '../../../scripts/documented-program.ts';
import { named, pageOf, pages, root } from './pages.ts';

const linksOf = (path: string) => named(pageOf(path), /\]\(([^)\s]+)\)/g).filter((link) => !/^[a-z]+:/.test(link));
const withoutMark = (link: string) => link.split('#')[0] ?? '';

test('every link between pages leads somewhere', () => {
  const all = pages().flatMap((path) => linksOf(path).map((link) => ({ path, link })));
  expect(all.length).toBeGreaterThan(15);
  const dead = all.filter(({ path, link }) => !existsSync(join(root, dirname(path), withoutMark(link))));
  expect(dead).toEqual([]);
});

test('every npm script that a page tells to run exists', () => {
  const { scripts } = JSON.parse(pageOf('package.json')) as { scripts: Record<string, string> };
  const told = pages().flatMap((path) =>
    named(pageOf(path), /(?:`|^)npm (?:run )?([a-z][a-z:-]*)/gm).map((script) => ({ path, script })),
  );
  const scriptsTold = told.filter(({ script }) => script !== 'ci');
  expect(scriptsTold.map(({ script }) => script)).toEqual(expect.arrayContaining(['demo', 'test', 'check', 'bench']));
  expect(scriptsTold.filter(({ script }) => !Object.hasOwn(scripts, script))).toEqual([]);
});

test('every file of the project that a page names exists', () => {
  const files = pages().flatMap((path) =>
    named(pageOf(path), /`((?:src|test|scripts|stack|bench|deploy|docs)\/[A-Za-z0-9./_-]+)`/g).map((file) => ({
      path,
      file,
    })),
  );
  expect(files.length).toBeGreaterThan(40);
  expect(files.filter(({ file }) => !existsSync(join(root, file)))).toEqual([]);
});

test('the index of decisions has every record', () => {
  const records = pages().flatMap((path) => named(path, /^docs\/decisions\/(\d{4}-.+)$/g));
  expect(linksOf('docs/decisions/README.md')).toEqual(records.sort());
});

test('every immutrail command that README, operations and guarantees tell to run exists', () => {
  const known = new Set(documentedProgram().commands.map((command) => command.name()));
  const told = ['README.md', 'docs/operations.md', 'docs/guarantees.md'].flatMap((path) =>
    named(pageOf(path), /(?:`|^)immutrail ([a-z]+)/gm),
  );
  expect(told).toEqual(expect.arrayContaining(['init', 'run', 'status', 'get', 'gap', 'log']));
  expect(told.filter((name) => !known.has(name))).toEqual([]);
});
