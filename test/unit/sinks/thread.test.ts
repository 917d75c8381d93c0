import { afterAll, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { startThread, type Thread } from '../../../src/sinks/thread.ts';

const thread = new URL('../../../src/sinks/thread.ts', import.meta.url).href;
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

/** A thread whose answers are what this expression makes of `task`. */
const threadOf = async (expression: string): Promise<Thread<unknown, unknown>> => {
  const folder = await mkdtemp(join(tmpdir(), 'immutrail-thread-'));
  folders.push(folder);
  const file = join(folder, 'worker.mjs');
  await writeFile(file, `import { answerTasks } from '${thread}';\nanswerTasks((task) => ${expression});\n`);
  return startThread(pathToFileURL(file), 'is tried', { maxOldGenerationSizeMb: 16 });
};

test('each task gets its own answer, and what is handed over is gone here', async () => {
  const doubling = await threadOf('task.byteLength ?? 2 * task');
  expect(await Promise.all([1, 2, 3].map((task) => doubling.ask(task)))).toEqual([2, 4, 6]);
  const bytes = new ArrayBuffer(7);
  expect(await doubling.ask(bytes, [bytes])).toBe(7);
  expect(bytes.byteLength).toBe(0);
  await doubling.close();
});

test('it gets no environment', async () => {
  const looking = await threadOf('Object.keys(process.env).length');
  expect(await looking.ask(null)).toBe(0);
  await looking.close();
});

test('what it throws ends it: this task and all later ones reject', async () => {
  const failing = await threadOf('task.no.such');
  const ended = { code: 'UNEXPECTED', message: 'the thread that is tried has ended' };
  await expect(failing.ask({})).rejects.toMatchObject(ended);
  await expect(failing.ask({})).rejects.toMatchObject(ended);
});

test('closed with a task under way, that rejects; it may be closed twice', async () => {
  const stuck = await threadOf('{ for (;;); }');
  const asked = stuck.ask(null);
  asked.catch(() => undefined);
  await stuck.close();
  await stuck.close();
  await expect(asked).rejects.toMatchObject({ code: 'UNEXPECTED' });
});
