import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

const start = new URL('../../stack/start.ts', import.meta.url).href;
const prerequisites = new URL('../../stack/prerequisites.ts', import.meta.url).href;
/** The real look for tools, in a process that sees none; an engine may well run on this machine, so it is kept out. */
const script = `
  const { chooseStack } = await import(${JSON.stringify(start)});
  const { missingTools } = await import(${JSON.stringify(prerequisites)});
  const hasContainerEngine = async () => process.argv[1] === 'engine';
  await chooseStack({ wish: undefined, missingTools, hasContainerEngine }).then(console.log, (error) => console.log(error.message));
`;

let empty: string;
beforeAll(async () => {
  empty = await mkdtemp(join(tmpdir(), 'immutrail-no-tools-'));
});
afterAll(() => rm(empty, { recursive: true }));

const say = async (path: string, ...args: string[]): Promise<string> => {
  const command = ['--input-type=module', '-e', script, ...args];
  return (await promisify(execFile)(process.execPath, command, { env: { PATH: path, HOME: empty } })).stdout;
};

test('without tools and without an engine, one message names all that is missing', async () => {
  const message = await say(empty);
  for (const tool of ['Java >= 17.0', 'Maven >= 3.6', 'Go >= 1.25']) expect(message).toContain(`${tool} (no working`);
  for (const part of ['apt-get install', 'dnf install', 'brew install', 'no engine answered'])
    expect(message).toContain(part);
}, 60_000);

test('without tools, containers', async () => {
  expect(await say(empty, 'engine')).toBe('docker\n');
}, 60_000);

test('a tool that is too old is named with its version', async () => {
  await writeFile(join(empty, 'go'), '#!/bin/sh\necho go version go1.19.8 linux/amd64\n', { mode: 0o755 });
  expect(await say(empty)).toContain('Go >= 1.25 (the one on the PATH is 1.19)');
}, 60_000);
