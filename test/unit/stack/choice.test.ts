import { describe, expect, test } from '@jest/globals';
import { chooseStack, type Surroundings } from '../../../stack/start.ts';

const machine = (over: Partial<Surroundings>): Surroundings => ({
  wish: undefined,
  missingTools: () => Promise.resolve([]),
  hasContainerEngine: () => Promise.resolve(false),
  ...over,
});
const withoutTools = { missingTools: () => Promise.resolve(['Go >= 1.25 (the one on the PATH is 1.19)']) };

describe('choice of the stack', () => {
  test('native when its tools are there, and no engine is even asked for', async () => {
    const hasContainerEngine = (): Promise<boolean> => Promise.reject(new Error('asked'));
    expect(await chooseStack(machine({ hasContainerEngine }))).toBe('native');
  });

  test('docker when a tool is missing and an engine answers', async () => {
    expect(await chooseStack(machine({ ...withoutTools, hasContainerEngine: () => Promise.resolve(true) }))).toBe(
      'docker',
    );
  });

  test('neither: one message with what is missing and a command for each system', async () => {
    const message = await chooseStack(machine(withoutTools)).catch(String);
    for (const part of ['Go >= 1.25 (the one on the PATH is 1.19)', 'apt-get', 'dnf', 'brew', 'Docker'])
      expect(message).toContain(part);
  });

  test.each(['native', 'docker'] as const)('the wish for %s is followed without looking', async (wish) => {
    const missingTools = (): Promise<string[]> => Promise.reject(new Error('looked'));
    expect(await chooseStack(machine({ wish, missingTools }))).toBe(wish);
  });

  test('a wish that nobody can fulfil is named', async () => {
    await expect(chooseStack(machine({ wish: 'vagrant' }))).rejects.toThrow('"vagrant"; it can be native or docker');
  });
});
