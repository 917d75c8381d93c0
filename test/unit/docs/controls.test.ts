import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { programOf } from '../../../src/cli/program.ts';
import { isTest, testsIn } from './named-tests.ts';
import { named, pageOf, root } from './pages.ts';

const page = pageOf('docs/controls.md');
const controls = page.split(/^### /m).slice(1);
const titleOf = (control: string) => control.split('\n')[0] ?? '';

const commandNames = (): string[] => {
  const never = () => Promise.reject(new Error('documentation runs no command'));
  const { program } = programOf({
    version: '',
    loadConfig: () => {
      throw new Error('documentation loads no configuration');
    },
    describeConfig: () => ({}),
    output: { out: () => undefined, err: () => undefined, colour: false, isWatched: false },
    commands: new Proxy({}, { get: () => never }) as Parameters<typeof programOf>[0]['commands'],
  });
  return program.commands.map((command) => command.name());
};

describe('docs/controls.md', () => {
  test('has the controls that are asked for first, each with a command, a test and its limits', () => {
    const titles = controls.map(titleOf).join('\n');
    for (const name of ['CC7.2', 'AU-9', 'AU-10', 'AU-11']) expect(titles).toContain(name);
    for (const control of controls) {
      expect([titleOf(control), testsIn(control).length > 0]).toEqual([titleOf(control), true]);
      expect(control).toMatch(/^- Shown by: `immutrail /m);
      expect(control).toMatch(/^- Not covered: /m);
    }
  });

  test('every command that it names exists', () => {
    const told = named(page, /`immutrail ([a-z]+)/g);
    expect(told.length).toBeGreaterThan(10);
    expect(told.filter((name) => !commandNames().includes(name))).toEqual([]);
  });

  test.each(testsIn(page))('$file: $name', ({ file, name }) => {
    expect(existsSync(join(root, file))).toBe(true);
    expect(isTest(readFileSync(join(root, file), 'utf8'), name)).toBe(true);
  });
});
